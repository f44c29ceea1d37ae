// Calls the store of oh-my-msgcode: a question in JSON a line, an answer a line. argv: its compiled store module.
// HOME must be a folder of the test's own.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const store = await import(pathToFileURL(process.argv[2]));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const answers = {
  // One of its functions by name.
  async call({ name, args }) {
    return (await store[name](...args)) ?? null;
  },

  // Sends for so many seconds, with a pause in milliseconds after each; returns the ids.
  async send({ from, to, seconds, pause }) {
    const deadline = performance.now() + 1000 * seconds;
    const sent = [];
    while (performance.now() < deadline) {
      sent.push((await store.sendMessage(from, to, `message ${sent.length}`)).id);
      if (pause) await sleep(pause);
    }
    return sent;
  },

  // What it would write of what it reads in this text.
  async rewritten({ text }) {
    return JSON.stringify(JSON.parse(text), null, 2);
  },

  // Takes what is queued, and says that the agent is there, as the plugin does; returns the ids.
  async consume({ agent, seconds, pause }) {
    const deadline = performance.now() + 1000 * seconds;
    const taken = [];
    while (performance.now() < deadline) {
      await store.touchAgent(agent);
      taken.push(...(await store.consumeNewMessages(agent)).map((message) => message.id));
      await sleep(pause);
    }
    return taken;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: await answers[question.do](question) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
