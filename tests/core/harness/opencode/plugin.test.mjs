// The plugin with a fake OpenCode client on one side and fake_host.mjs on the other. Run by test_plugin.py.
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"

const FOLDER = process.env.MSGCODE_TEST_PLUGINS
const WAIT = 30 // seconds within which what a test waits for has to happen
const PLUGIN = pathToFileURL(`${FOLDER}/plugin.mjs`).href
const { Msgcode } = await import(PLUGIN)

// What OpenCode's client is to the plugin. Its methods need their `this`, as the real ones do.
class FakeClient {
  toasts = []
  calls = []
  tui = {
    log: this.toasts,
    async showToast({ body }) {
      this.log.push(body.message)
      return { data: true }
    },
  }
  session = {
    log: this.calls,
    async promptAsync(params) {
      this.log.push(params)
      return { data: { id: "taken" } }
    },
    nothing: async () => ({ data: undefined }),
    missing: async () => ({ error: { name: "NotFoundError", data: { message: "no such session" } } }),
    refused: async () => ({ error: { message: "not like this" } }),
    broken: async () => ({ error: {}, response: { status: 500 } }),
    throws() {
      throw new Error("it threw")
    },
    rejects: () => Promise.reject("a bare text"),
  }
}

// A plugin that ends with the test. start: what its first host does at its start, if anything special.
async function plug(t, { start, module = Msgcode, client = new FakeClient() } = {}) {
  if (start) process.env.FAKE_HOST = start
  const loading = module({ client, directory: "/the/project" }) // It has spawned its host when this returns.
  delete process.env.FAKE_HOST
  const hooks = await loading
  t.after(() => hooks.dispose?.())
  const use = (tool, how, sessionID = "ses_1") => hooks.tool[tool].execute({ how }, { sessionID })
  const heard = async () => JSON.parse(await use("heard"))
  const say = (text) => hooks["chat.message"]({ sessionID: "ses_1" }, { parts: [{ type: "text", text }] })
  const tell = (type, properties) => hooks.event({ event: { type, properties } })
  return { hooks, client, use, heard, say, tell }
}

async function until(what) {
  const deadline = Date.now() + WAIT * 1000
  for (;;) {
    const found = await what()
    if (found) return found
    assert(Date.now() < deadline, `not within ${WAIT} s: ${what}`)
    await sleep(5)
  }
}

const restarted = ({ use }) => until(() => use("echo", "alive").catch(() => false))

test("one export, and no imports but node's", async () => {
  assert.deepEqual(Object.keys(await import(PLUGIN)), ["Msgcode"])
  const text = await readFile(`${FOLDER}/plugin.mjs`, "utf8")
  const imports = [...text.matchAll(/^import .*$|\bimport\(.*|\brequire\(.*/gm)].map(([line]) => line)
  assert.deepEqual(imports, ['import { spawn } from "node:child_process"'])
})

test("the host is told where it is", async (t) => {
  const { heard } = await plug(t)
  const [hello] = await heard()
  assert.deepEqual(hello, { method: "hello", params: { directory: "/the/project", sessions: [] } })
})

test("tools are offered with their schemas", async (t) => {
  const { hooks } = await plug(t)
  assert.equal(hooks.tool.echo.description, "it does echo")
  assert.deepEqual(hooks.tool.echo.args, { how: { type: "string" } })
  const output = { description: "as it was", jsonSchema: { required: ["how"] } }
  await hooks["tool.definition"]({ toolID: "echo" }, output)
  assert.deepEqual(output.jsonSchema, { type: "object", properties: { how: { type: "string" } }, required: [] })
  const another = { jsonSchema: "as it was" }
  await hooks["tool.definition"]({ toolID: "bash" }, another)
  assert.deepEqual(another, { jsonSchema: "as it was" })
})

test("a tool answers, for the session that called it", async (t) => {
  const { use, heard } = await plug(t)
  assert.equal(await use("echo", "it's\n\"here\"; é🙂\u2028", "ses_7"), "it's\n\"here\"; é🙂\u2028")
  const { method, params } = (await heard()).find((message) => message.params?.name === "echo")
  assert.equal(method, "tool")
  assert.deepEqual(params, { session: "ses_7", name: "echo", arguments: { how: "it's\n\"here\"; é🙂\u2028" } })
})

test("calls under way at once get their own answers", async (t) => {
  const { use } = await plug(t)
  const texts = Array.from({ length: 50 }, (_, number) => `text ${number}`)
  assert.deepEqual(await Promise.all(texts.map((text) => use("echo", text))), texts)
})

test("a tool's error is thrown", async (t) => {
  const { use } = await plug(t)
  await assert.rejects(use("fail", "nobody is called bob"), new Error("nobody is called bob"))
  await assert.rejects(use("refuse", "the host refuses"), new Error("the host refuses"))
})

test("a tool that is not answered fails", async (t) => {
  const { use } = await plug(t)
  await assert.rejects(use("never"), /did not answer within/)
  assert.equal(await use("echo", "and goes on"), "and goes on")
})

test("only the events that the host wants are passed on", async (t) => {
  const { tell, heard } = await plug(t)
  await tell("session.idle", { sessionID: "ses_1" })
  await tell("message.part.delta", { sessionID: "ses_1" })
  await tell("message.updated", { info: { id: "msg_1", sessionID: "ses_2" } })
  await tell("message.part.updated", { part: { id: "prt_1", text: "long" } })
  await tell("message.part.updated", { part: { id: "prt_2", metadata: { msgcode: ["m1"] } } })
  const events = (await heard()).filter((message) => message.method === "event")
  assert.deepEqual(events, [
    { method: "event", params: { type: "session.idle", properties: { sessionID: "ses_1" } } },
    { method: "event", params: { type: "message.updated", properties: { info: { id: "msg_1", sessionID: "ses_2" } } } },
    {
      method: "event",
      params: { type: "message.part.updated", properties: { part: { id: "prt_2", metadata: { msgcode: ["m1"] } } } },
    },
  ])
})

test("/msg is added to the commands", async (t) => {
  const { hooks } = await plug(t)
  const config = { command: { other: { template: "other" } } }
  await hooks.config(config)
  const msg = { template: "/msg $ARGUMENTS", description: "talk" }
  assert.deepEqual(config.command, { other: { template: "other" }, msg })
  const empty = {}
  await hooks.config(empty)
  assert.deepEqual(empty, { command: { msg } })
})

test("/msg as a command", async (t) => {
  const { hooks, heard } = await plug(t)
  const before = hooks["command.execute.before"]
  const line = "send bob it's; $(done)\nnext line"
  const given = { command: "msg", sessionID: "ses_1", arguments: line }
  await assert.rejects(before(given, { parts: [] }), new Error("it has answered"))
  await before({ ...given, command: "review" }, { parts: [] })
  await assert.rejects(before({ ...given, arguments: "refuse" }, { parts: [] }), new Error("not now"))
  const lines = (await heard()).filter((message) => message.method === "command").map(({ params }) => params)
  assert.deepEqual(lines, [
    { session: "ses_1", line },
    { session: "ses_1", line: "refuse" },
  ])
})

test("/msg as plain text", async (t) => {
  const { hooks, heard, say } = await plug(t)
  const commands = {
    "/msg": "",
    "/msg status": "status",
    "  /msg  status \n": "status",
    '"/msg send bob hello"': "send bob hello", // as `opencode run` sends it
    '"/msg send bob he said \\"hi\\""': 'send bob he said "hi"',
    '/msg send bob he said "hi"': 'send bob he said "hi"',
    '/msg "': '"',
    "/msg send bob one\ntwo\n\nthree": "send bob one\ntwo\n\nthree",
    "/msg\nstatus": "status",
  }
  for (const text of Object.keys(commands)) await assert.rejects(say(text), new Error("it has answered"))
  for (const text of ["/msgs", "/message", "what is /msg?", "look:\n/msg status", '"/msgs x"', '" /msg', "", "msg"])
    await say(text)
  await hooks["chat.message"]({ sessionID: "ses_1" }, { parts: [{ type: "file", url: "/msg" }] })
  await hooks["chat.message"]({ sessionID: "ses_1" }, { parts: [] })
  const lines = (await heard()).filter((message) => message.method === "command").map(({ params }) => params.line)
  assert.deepEqual(lines, Object.values(commands))
})

test("the host calls OpenCode's client", async (t) => {
  const { client, use } = await plug(t)
  const call = async (method, params) => JSON.parse(await use("call", { method, params }))
  const params = { path: { id: "ses_1" }, body: { parts: [{ text: "é🙂\u2028" }] } }
  assert.deepEqual((await call("session.promptAsync", params)).result, { id: "taken" })
  assert.deepEqual(client.calls, [params])
  assert.equal((await call("session.nothing")).result, null)
  const errors = {
    "session.missing": "no such session",
    "session.refused": "not like this",
    "session.broken": "500 {}",
    "session.throws": "it threw",
    "session.rejects": "a bare text",
    "session.unheardOf": "this OpenCode has no session.unheardOf",
    "no.such.thing": "this OpenCode has no no.such.thing",
    session: "this OpenCode has no session",
    "": "this OpenCode has no ",
  }
  for (const [method, message] of Object.entries(errors)) {
    const answer = await call(method)
    assert.equal(answer.error?.message, message)
    assert(!("result" in answer))
  }
})

test("a dead host is started again, with what it has to know", async (t) => {
  const plugin = await plug(t)
  const { client, use, heard, tell } = plugin
  await tell("session.idle", { sessionID: "ses_1" })
  await tell("message.updated", { info: { sessionID: "ses_2" } })
  await tell("session.idle", { sessionID: "ses_3" })
  await tell("session.deleted", { sessionID: "ses_3", info: { id: "ses_3" } })
  const pending = assert.rejects(use("never"), /ended before it answered/)
  await assert.rejects(use("die", "first line\nthe é reason\n"), /ended before it answered/)
  await pending
  await assert.rejects(use("echo", "nobody hears"), /is being started again: try again/)
  await tell("session.idle", { sessionID: "ses_4" })
  await restarted(plugin)
  assert.deepEqual((await heard())[0].params, { directory: "/the/project", sessions: ["ses_1", "ses_2", "ses_4"] })
  await until(() => client.toasts.length)
  assert.deepEqual(client.toasts, [
    "msgcode's host ended (the é reason). OpenCode goes on, and it is started again.",
  ])
})

test("each death in a row is followed by a longer pause, and only the first is told", async (t) => {
  const plugin = await plug(t)
  const pauses = []
  for (const _ of [1, 2]) {
    await assert.rejects(plugin.use("die", ""))
    const died = Date.now()
    await restarted(plugin)
    pauses.push(Date.now() - died)
  }
  assert(pauses[0] >= 50, pauses)
  assert(pauses[1] >= 400, pauses)
  await until(() => plugin.client.toasts.length)
  assert.equal(plugin.client.toasts.length, 1)
  assert.match(plugin.client.toasts[0], /it did not say why/)
})

test("a new host answers hello before it is asked anything else", async (t) => {
  const plugin = await plug(t)
  await assert.rejects(plugin.use("die", ""))
  await restarted(plugin)
  const [first, second, third] = await plugin.heard()
  assert.deepEqual([first.method, second, third.params.name], ["hello", "has said hello", "echo"])
})

test("what a dead host asked for is not answered to the next", async (t) => {
  const client = new FakeClient()
  const release = []
  client.session.slow = () => new Promise((resolve) => release.push(resolve))
  const plugin = await plug(t, { client })
  await plugin.use("ask", { method: "session.slow" })
  await until(() => release.length === 1)
  await assert.rejects(plugin.use("die", ""))
  await restarted(plugin)
  const answer = plugin.use("call", { method: "session.slow" })
  await until(() => release.length === 2)
  release[0]({ data: "for the dead" })
  await plugin.use("echo", "after it")
  release[1]({ data: "for the living" })
  assert.equal(JSON.parse(await answer).result, "for the living")
})

for (const [what, start, reason] of [
  ["dies at once", "exit", /did not start \(ModuleNotFoundError: No module named 'msgcode'\)/],
  ["refuses", "refuse", /did not start \(no room here\)/],
  ["says nothing", "silent", /did not start \(msgcode did not answer within 4 s\)/],
  ["is not there", "none", /did not start \(.*no-such-program.*ENOENT/],
]) {
  test(`OpenCode goes on without a host that ${what}`, async (t) => {
    const module = start === "none" ? (await import(`${FOLDER}/homeless.mjs`)).Msgcode : Msgcode
    const { hooks, client } = await plug(t, { start, module })
    assert.deepEqual(hooks, {})
    await until(() => client.toasts.length)
    await sleep(200) // in which it would have been started again
    assert.equal(client.toasts.length, 1)
    assert.match(client.toasts[0], reason)
  })
}

for (const tui of [undefined, { showToast: async () => Promise.reject(new Error("no screen")) }, { showToast: 1 }]) {
  test(`a death that cannot be told: ${tui?.showToast}`, async (t) => {
    const client = new FakeClient()
    client.tui = tui
    const plugin = await plug(t, { client })
    await assert.rejects(plugin.use("die", ""))
    await restarted(plugin)
    await sleep(200) // in which it would have been told
    assert.equal(await plugin.use("echo", "still there"), "still there")
  })
}

test("disposed three times, it ends once", async (t) => {
  const { hooks, client, use } = await plug(t)
  const pending = assert.rejects(use("never"), /ended before it answered/)
  await use("echo", "it has heard that")
  for (const _ of [1, 2, 3]) await hooks.dispose()
  await pending
  await sleep(200) // in which it would have been started again
  await assert.rejects(use("echo", "still there?"))
  await hooks.dispose()
  assert.deepEqual(client.toasts, [])
})

test("garbage between the lines is passed over", async (t) => {
  const { client, use } = await plug(t)
  const garbage = ["what?", "", "null", "3", '"text"', "[]", "{}", '{"id": 99, "result": 1}', '{"result": 1}']
  garbage.push('{"id": null, "error": {}}', '{"id": 1, "method": 5}', "{".repeat(10000), "\u0000\u001b[2J", "\r")
  await use("print", { text: "\n" + garbage.join("\n") + "\n" })
  await use("print", { text: "line\n", times: 10_000 })
  assert.equal(await use("echo", "fine"), "fine")
  assert.deepEqual(client.toasts, [])
})

test("a line ends at a line feed only, and may come byte by byte", async (t) => {
  const { use, client } = await plug(t)
  const line = JSON.stringify({ id: 1, method: "tui.showToast", params: { body: { message: "é🙂\u2028\u0085€" } } })
  await use("drip", line + "\n")
  await until(() => client.toasts.length)
  assert.deepEqual(client.toasts, ["é🙂\u2028\u0085€"])
})

test("a message of many megabytes", async (t) => {
  const { use } = await plug(t)
  const text = "é🙂".repeat(1_000_000)
  assert(text === (await use("echo", text)))
})

test("a host that prints without end is started again", async (t) => {
  const plugin = await plug(t)
  await assert.rejects(plugin.use("print", { text: "x", times: 10_000_000 }), /ended before it answered/)
  await restarted(plugin)
  await until(() => plugin.client.toasts.length)
  assert.equal(plugin.client.toasts.length, 1)
})

test("a host that does not read is started again", async (t) => {
  const plugin = await plug(t)
  await plugin.use("hang")
  for (let n = 0; n < 20; n++) await plugin.tell("session.idle", { sessionID: "ses_1", text: "x".repeat(500_000) })
  await restarted(plugin)
  await until(() => plugin.client.toasts.length)
  assert.equal(plugin.client.toasts.length, 1)
})

test("it keeps no process alive", async () => {
  // One waits for its host to be started again, the other for an answer.
  const program = `
    import { Msgcode } from ${JSON.stringify(PLUGIN)}
    const client = { tui: { showToast: async () => {} } }
    const dead = await Msgcode({ client, directory: "/" })
    const alive = await Msgcode({ client, directory: "/" })
    alive.tool.never.execute({}, {}).catch(() => {})
    for (const _ of [1, 2]) await dead.tool.die.execute({ how: "" }, {}).catch(() => {})
    await alive.dispose()`
  const run = promisify(execFile)
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "-e", program], { timeout: 5000 })
  assert.equal(stdout + stderr, "")
})
