// msgcode in OpenCode: a thin adapter between OpenCode's plugin hooks and `msgcode host opencode`, a child
// process that decides everything. They speak JSON-RPC 2.0 over the child's stdin and stdout, one message a
// line. Nothing here may write to stderr: OpenCode's screen is drawn there.
import { spawn } from "node:child_process"

const HOST = ["msgcode", "host", "opencode"] // `msgcode install opencode` puts its own command here.
const HELLO_SECONDS = 10 // within which a host must have said hello
const TOAST_SECONDS = 3 // by which a toast is put off, as it is lost before OpenCode's screen is there
const ANSWER_SECONDS = 60 // within which it must have answered anything else
const BACK_OFF_SECONDS = [1, 2, 5, 10, 30] // before a dead host is started again; the last goes on
const HEALTHY_SECONDS = 60 // after which earlier deaths are forgotten
const MOST_UNREAD = 64 * 1024 * 1024 // characters that either side may leave unread before a host is given up

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

  return {
    tool,
    // Without a schema of its own, OpenCode takes every argument of a tool for required.
    async "tool.definition"({ toolID }, output) {
      const ours = hello.tools.find(({ name }) => name === toolID)
      if (ours) output.jsonSchema = ours.parameters
    },
    async config(config) {
      config.command = { ...config.command, msg: hello.command }
    },
    async event({ event: { type, properties = {} } }) {
      if (properties.part && !properties.part.metadata?.msgcode) return // Only parts that we have put there matter.
      if (hello.events.includes(type)) host.tell(type, properties)
    },
    async "command.execute.before"({ command, sessionID, arguments: line }) {
      if (command === "msg") await answer(sessionID, line)
    },
    // A command that OpenCode has sent on as plain text, as it does when its TUI has not read them all yet.
    async "chat.message"({ sessionID }, { parts }) {
      const line = commandLine(parts.find((part) => part.type === "text")?.text ?? "")
      if (line !== undefined) await answer(sessionID, line)
    },
    dispose: async () => host.stop(),
  }

  async function answer(session, line) {
    await host.request("command", { session, line })
    throw new Error(hello.answered) // The only way to keep OpenCode from asking the model.
  }
}

// What stands after /msg in a text that is such a command; undefined for any other text.
function commandLine(text) {
  const quoted = text.match(/^\s*"(.*)"\s*$/s)?.[1].replaceAll('\\"', '"') // as `opencode run` does it
  return (quoted ?? text).match(/^\s*\/msg(?!\S)(.*)$/s)?.[1].trim()
}

class Host {
  constructor(client, directory) {
    this.client = client
    this.directory = directory
    this.sessions = new Set() // those that a restarted host has to know of
    this.calls = new Map() // those that the host has not answered, by id
    this.lastId = 0
    this.deaths = 0
    this.greeted = this.told = this.stopped = false
  }

  // Start the child and greet it. Returns what it answers; nothing if it does not start.
  start() {
    const child = (this.child = spawn(HOST[0], HOST.slice(1)))
    Object.assign(child, { started: Date.now(), unread: 0, lastWords: "" })
    child.stderr.setEncoding("utf8").on("data", (text) => (child.lastWords = (child.lastWords + text).slice(-500)))
    child.stdin.on("error", () => {}) // It has gone; `close` says so too.
    child.on("error", (error) => (child.lastWords = error.message))
    child.on("close", () => this.#died(child))
    eachLine(child, (line) => this.#hear(child, line))
    const known = { directory: this.directory, sessions: [...this.sessions] }
    return (this.greeting = this.#call("hello", known, HELLO_SECONDS).then(
      (answer) => {
        this.greeted = true
        return answer
      },
      (error) => {
        child.lastWords ||= error.message
        child.kill("SIGKILL")
      },
    ))
  }

  stop() {
    this.stopped = true
    this.child?.stdin.end() // It says goodbye for its agents and ends.
  }

  async request(method, params) {
    await this.greeting // A new host has to know of the sessions first.
    return this.#call(method, params, ANSWER_SECONDS)
  }

  tell(type, properties) {
    const session = properties.sessionID ?? properties.info?.sessionID
    if (type === "session.deleted") this.sessions.delete(session)
    else if (session) this.sessions.add(session)
    this.#send(this.child, { method: "event", params: { type, properties } })
  }

  #call(method, params, seconds) {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId
      const timer = setTimeout(() => this.#settle(id, `msgcode did not answer within ${seconds} s`), seconds * 1000)
      this.calls.set(id, { resolve, reject, timer: timer.unref() })
      if (!this.#send(this.child, { id, method, params }))
        this.#settle(id, "msgcode's host has ended and is being started again: try again in a minute")
    })
  }

  #settle(id, error, result) {
    const call = this.calls.get(id)
    if (!call) return
    this.calls.delete(id)
    clearTimeout(call.timer)
    return error ? call.reject(new Error(error)) : call.resolve(result)
  }

  #send(child, message) {
    if (!child?.stdin.writable) return false
    const line = JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n"
    child.unread += line.length
    child.stdin.write(line, () => (child.unread -= line.length))
    if (child.unread > MOST_UNREAD) child.kill("SIGKILL") // It hangs.
    return true
  }

  async #hear(child, line) {
    let message
    try {
      message = JSON.parse(line)
    } catch {} // Not from us: something that Python printed.
    const { id, method, params, result, error } = message ?? {}
    if (method === undefined) return this.#settle(id, error?.message, result)
    try {
      this.#send(child, { id, result: await this.#ask(method, params) })
    } catch (error) {
      this.#send(child, { id, error: { code: -32000, message: String(error?.message ?? error) } })
    }
  }

  async #ask(method, params) { // a method of OpenCode's client by its name, such as session.promptAsync
    const names = method.split(".")
    const last = names.pop()
    const owner = names.reduce((object, name) => object?.[name], this.client)
    if (typeof owner?.[last] !== "function") throw new Error(`this OpenCode has no ${method}`)
    const { data, error, response } = await owner[last](params)
    if (error) throw new Error(error.data?.message ?? error.message ?? `${response?.status} ${JSON.stringify(error)}`)
    return data ?? null
  }

  #died(child) {
    this.child = undefined
    for (const id of [...this.calls.keys()])
      this.#settle(id, "msgcode's host ended before it answered: see whether this was done before you try again")
    if (this.stopped) return
    const why = child.lastWords.trim().split("\n").at(-1) || "it did not say why"
    if (!this.greeted) return this.#toast(`msgcode did not start (${why}). OpenCode goes on without it.`)
    this.told ||= this.#toast(`msgcode's host ended (${why}). OpenCode goes on, and it is started again.`)
    if (Date.now() - child.started > HEALTHY_SECONDS * 1000) this.deaths = 0
    const seconds = BACK_OFF_SECONDS[Math.min(this.deaths++, BACK_OFF_SECONDS.length - 1)]
    setTimeout(() => this.stopped || this.start(), seconds * 1000).unref()
  }

  #toast(message) {
    const show = async () => this.client.tui.showToast({ body: { message, variant: "warning" } })
    return setTimeout(() => show().catch(() => {}), TOAST_SECONDS * 1000).unref()
  }
}

// Call `use` with each line that the child prints. (To node:readline a line also ends at U+2028.)
function eachLine(child, use) {
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = text.split("\n")
    lines[0] = rest + lines[0]
    rest = lines.pop()
    if (rest.length > MOST_UNREAD) child.kill("SIGKILL") // It is out of its mind.
    lines.forEach(use)
  })
}
