// Plays `msgcode host opencode` for the plugin's tests. Each of its tools has it do one thing.
// FAKE_HOST says what it does at its start instead: "exit", "refuse" or "silent".
import { setTimeout as sleep } from "node:timers/promises"

const start = process.env.FAKE_HOST
const heard = []
const waiting = new Map()
let lastId = 0

const tools = {
  echo: (text) => ({ ok: true, text }),
  fail: (text) => ({ ok: false, text }),
  heard: () => ({ ok: true, text: JSON.stringify(heard) }),
  never: () => new Promise(() => {}),
  refuse: (text) => Promise.reject(new Error(text)),
  // Call a method of OpenCode's client; answers with all that came back.
  async call({ method, params }) {
    return { ok: true, text: JSON.stringify(await call(method, params)) }
  },
  // Call one, and do not wait for what comes back.
  ask({ method, params }) {
    call(method, params)
    return { ok: true, text: "" }
  },
  print({ text, times = 1 }) {
    process.stdout.write(text.repeat(times))
    return { ok: true, text: "" }
  },
  async drip(text) {
    for (const byte of Buffer.from(text)) {
      process.stdout.write(Buffer.of(byte))
      await sleep(1) // so that each byte is read by itself
    }
    return { ok: true, text: "" }
  },
  die(text) {
    process.stderr.write(text)
    process.exit(3)
  },
  hang() {
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000))
    return { ok: true, text: "" }
  },
}

const methods = {
  async hello() {
    if (start === "refuse") throw new Error("no room here")
    if (start === "silent") await tools.never()
    return {
      tools: Object.keys(tools).map((name) => ({
        name,
        description: `it does ${name}`,
        parameters: { type: "object", properties: { how: { type: "string" } }, required: [] },
      })),
      events: ["session.idle", "session.deleted", "message.updated", "message.part.updated"],
      command: { template: "/msg $ARGUMENTS", description: "talk" },
      answered: "it has answered",
    }
  },
  tool: ({ name, arguments: given }) => tools[name](given.how),
  command: ({ line }) => (line === "refuse" ? tools.refuse("not now") : {}),
}

function send(message) {
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n")
}

function call(method, params) {
  const id = ++lastId
  send({ id, method, params })
  return new Promise((resolve) => waiting.set(id, resolve))
}

async function hear(message) {
  const { id, method, params } = message
  if (method === undefined) return waiting.get(id)?.(message)
  heard.push({ method, params })
  if (id === undefined) return
  try {
    send({ id, result: await methods[method](params) })
  } catch (error) {
    send({ id, error: { code: -32000, message: error.message } })
  }
  if (method === "hello") heard.push("has said hello")
}

if (start === "exit") tools.die("Traceback\nModuleNotFoundError: No module named 'msgcode'\n")
let rest = ""
process.stdin.setEncoding("utf8").on("data", (text) => {
  const lines = (rest + text).split("\n")
  rest = lines.pop()
  for (const line of lines) hear(JSON.parse(line))
})
