// Drives the store of oh-my-msgcode as worker.py drives ours: a question in JSON a line, an answer a line.
// argv: its compiled store module. HOME must be a folder of the benchmark's own.
import { mkdir, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const store = await import(pathToFileURL(process.argv[2]));
const BODY = 'The build is green again; please look at the second commit, which changes the lock. '.repeat(2);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function timed(verb, spent) {
  const before = performance.now();
  const result = await verb();
  spent.push(1000 * (performance.now() - before));
  return result;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const answers = {
  async open() {
    await store.registerAgent('sender', 'sender');
    return true;
  },

  // Waiting messages written straight into its file, since sending 10,000 takes it minutes.
  async fill({ live }) {
    await answers.open();
    const createdAt = new Date().toISOString();
    const messages = Array.from({ length: live }, (_, n) => ({
      id: randomUUID(), from: 'sender', to: `crowd-${n % 100}`, body: BODY,
      priority: 'normal', status: 'queued', createdAt,
    }));
    const folder = `${homedir()}/.oh-my-msgcode`;
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/messages.json`, JSON.stringify(messages, null, 2));
    return true;
  },

  async batch({ count }) {
    const spent = { send: [], check: [], acknowledge: [], 'check an empty inbox': [] };
    for (let n = 0; n < count; n++) {
      const { id } = await timed(() => store.sendMessage('sender', 'reader', BODY), spent.send);
      await timed(() => store.checkMessages('reader'), spent.check);
      await timed(() => store.acknowledgeMessage('reader', id), spent.acknowledge);
      await timed(() => store.checkMessages('idler'), spent['check an empty inbox']);
    }
    return Object.fromEntries(Object.entries(spent).map(([verb, values]) => [verb, mean(values)]));
  },

  async write({ at, seconds }) {
    await sleep(Math.max(0, 1000 * at - Date.now()));
    const deadline = performance.now() + 1000 * seconds;
    const sent = [];
    while (performance.now() < deadline) {
      sent.push((await store.sendMessage('sender', 'reader', BODY)).id);
    }
    return sent;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  console.log(JSON.stringify(await answers[question.do](question)));
}
