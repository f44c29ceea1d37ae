// msgcode in OpenCode: a thin adapter between OpenCode's plugin hooks and `msgcode host opencode`, a child
// process that decides everything. They speak JSON-RPC 2.0 over the child's stdin and stdout, one message a
// line. Nothing here may write to stderr: OpenCode's screen is drawn there.
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

const HOST = ["msgcode", "host", "opencode"] // `msgcode install opencode` puts its own command here.
const START_SECONDS = 10 // within which a host must have said hello
const BACK_OFF_SECONDS = [1, 2, 5, 10, 30] // before a dead host is started again; the last goes on
const HEALTHY_SECONDS = 60 // after which earlier deaths are forgotten

export const Msgcode = async ({ client, directory }) => {
  const host = new Host(client, directory)
  const hello = await host.start()
  if (!hello) return {}

  const tool = {}
  for (const { name, description, parameters } of hello.tools) {
    tool[name] = {
      description,
      args: parameters.properties,
      async execute(given, { sessionID }) {
        const { text, ok } = await host.request("tool", { session: sessionID, name, arguments: given })
        if (!ok) throw new Error(text) // OpenCode shows it as a failed call, and the model reads the text.
        return text
      },
    }
  }
  const schemas = Object.fromEntries(hello.tools.map(({ name, parameters }) => [name, parameters]))
  const wanted = new Set(hello.events)

  return {
    tool,
    // Without a schema of its own, OpenCode takes every argument of a tool for required.
    async "tool.definition"({ toolID }, output) {
      if (schemas[toolID]) output.jsonSchema = schemas[toolID]
    },
    async config(config) {
      config.command = { msg: hello.command, ...config.command }
    },
    async event({ event }) {
      if (wanted.has(event.type)) host.notify("event", { type: event.type, properties: event.properties })
    },
    async "command.execute.before"({ command, sessionID, arguments: line }) {
      if (command === "msg") await answer(sessionID, line)
    },
    // A command that OpenCode has sent on as plain text, as it does when its TUI has not read them all yet.
    async "chat.message"({ sessionID }, { parts }) {
      const line = parts.find((part) => part.type === "text")?.text.match(/^\s*"?\/msg(?!\S)(.*?)"?\s*$/s)?.[1]
      if (line !== undefined) await answer(sessionID, line)
    },
    async dispose() {
      host.stop()
    },
  }

  async function answer(session, line) {
    await host.request("command", { session, line })
    throw new Error(hello.answered) // The only way to keep OpenCode from asking the model.
  }
}

class Host {
  constructor(client, directory) {
    this.client = client
    this.directory = directory
    this.sessions = new Set() // those that a restarted host has to know of
    this.calls = new Map()
    this.lastId = 0
    this.deaths = 0
    this.stopped = false
    this.told = false
  }

  // Start the child and greet it. Returns what it answers; nothing if it does not start.
  async start() {
    const [program, ...words] = HOST
    const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] })
    this.child = child
    let lastWords = ""
    child.stderr.on("data", (data) => (lastWords = (lastWords + data).slice(-500)))
    child.stdin.on("error", () => {}) // It has gone; `close` says so too.
    child.on("error", (error) => (lastWords = error.message))
    child.on("close", () => this.#died(child, lastWords.trim().split("\n").at(-1)))
    createInterface({ input: child.stdout }).on("line", (line) => this.#read(child, line))
    const started = Date.now()
    child.once("close", () => {
      if (Date.now() - started > HEALTHY_SECONDS * 1000) this.deaths = 0
    })
    try {
      return await this.request(
        "hello",
        { directory: this.directory, sessions: [...this.sessions], arguments: process.argv },
        START_SECONDS,
      )
    } catch {
      child.kill()
    }
  }

  stop() {
    this.stopped = true
    this.child?.stdin.end() // It says goodbye for its agents and ends.
  }

  request(method, params, seconds = 60) {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId
      const timer = setTimeout(() => this.#settle(id, { error: { message: "msgcode does not answer" } }), seconds * 1000)
      this.calls.set(id, { resolve, reject, timer })
      if (!this.#write({ id, method, params }))
        this.#settle(id, { error: { message: "msgcode's host is not running; it is being started again, so try later" } })
    })
  }

  notify(method, params) {
    const session = params.properties?.sessionID ?? params.properties?.info?.sessionID
    if (session) this.sessions.add(session)
    this.#write({ method, params })
  }

  #write(message) {
    if (!this.child?.stdin.writable) return false
    this.child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n")
    return true
  }

  async #read(child, line) {
    if (child !== this.child) return
    let message
    try {
      message = JSON.parse(line)
    } catch {
      return // Not from us: something that Python printed.
    }
    if (message.method === undefined) return this.#settle(message.id, message)
    try {
      this.#write({ id: message.id, result: await this.#client(message.method, message.params) })
    } catch (error) {
      this.#write({ id: message.id, error: { code: -32000, message: String(error?.message ?? error) } })
    }
  }

  // A method of OpenCode's client by its name, such as session.promptAsync.
  async #client(method, params) {
    const names = method.split(".")
    const last = names.pop()
    const owner = names.reduce((object, name) => object?.[name], this.client)
    if (typeof owner?.[last] !== "function") throw new Error(`this OpenCode has no ${method}`)
    const { data, error } = await owner[last](params)
    if (error) throw new Error(error.data?.message ?? error.message ?? JSON.stringify(error))
    return data ?? null
  }

  #settle(id, { result, error }) {
    const call = this.calls.get(id)
    if (!call) return
    this.calls.delete(id)
    clearTimeout(call.timer)
    if (error) call.reject(new Error(error.message))
    else call.resolve(result)
  }

  #died(child, lastWords) {
    if (child !== this.child) return
    this.child = undefined
    for (const id of [...this.calls.keys()]) this.#settle(id, { error: { message: "msgcode's host has ended" } })
    if (this.stopped) return
    if (!this.told) {
      this.told = true
      const message = `msgcode's host ended (${lastWords || "it did not say why"}). OpenCode goes on without it, and it is started again.`
      Promise.resolve(this.client.tui?.showToast({ body: { message, variant: "warning" } })).catch(() => {})
    }
    const seconds = BACK_OFF_SECONDS[Math.min(this.deaths++, BACK_OFF_SECONDS.length - 1)]
    setTimeout(() => this.stopped || this.start(), seconds * 1000).unref()
  }
}
