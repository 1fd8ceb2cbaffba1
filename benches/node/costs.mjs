// Baileys as a contender of the costs bench: the same commands as ours. Each account keeps its credentials in a folder
// with the package's own multi-file store, behind its cache of keys, as its documentation has it.

import { createInterface } from "node:readline";
import makeWASocket, { Browsers, DisconnectReason, makeCacheableSignalKeyStore, useMultiFileAuthState } from "baileys";

const [url, , , file] = process.argv.slice(2);
const TEXT =
  "a message of one hundred bytes, which is about what people write to each other, all in a single line";
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const silent = { level: "silent", child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

// Its Signal library logs to stdout, which is the bench's.
for (const level of ["log", "info", "warn", "error"]) console[level] = () => {};

const sockets = new Map();
const ids = new Set();
const acks = new Set();
let wanted = 0;
let echoes = false;
let reached = () => {};
let acked = () => {};
let closing = false;

async function connect(number, online) {
  const { state, saveCreds } = await useMultiFileAuthState(`${file}-${number}`);
  const socket = makeWASocket({
    auth: { creds: state.creds, keys: makeCacheableSignalKeyStore(state.keys, silent) },
    waWebSocketUrl: url,
    browser: Browsers.ubuntu("Chrome"),
    logger: silent,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
    getMessage: async () => undefined,
  });
  sockets.set(number, socket);
  socket.ev.on("creds.update", saveCreds);
  socket.ev.on("connection.update", ({ connection, lastDisconnect, qr, receivedPendingNotifications }) => {
    if (qr) say({ account: number, qr });
    if (connection === "open" || receivedPendingNotifications) online();
    if (connection === "close" && !closing) {
      const code = lastDisconnect?.error?.output?.statusCode;
      if (code === DisconnectReason.restartRequired) connect(number, online);
      else throw new Error(`account ${number} was closed: ${code}`);
    }
  });
  socket.ev.on("messages.upsert", ({ messages }) => {
    for (const { key, message } of messages) {
      if (!message || key.fromMe) continue;
      if (message.conversation === undefined && message.extendedTextMessage?.text === undefined) continue;
      if (echoes) socket.sendMessage(key.remoteJid, { text: TEXT });
      ids.add(`${number} ${key.id}`);
    }
    if (ids.size >= wanted) reached();
  });
  socket.ws.on("CB:ack,class:message", ({ attrs }) => {
    if (attrs.error) throw new Error(`refused: ${attrs.error}`);
    acks.add(attrs.id);
    acked();
  });
}

/** Runs the work for each of a range, some at a time: few, since a link writes hundreds of files at once. */
async function each(first, count, atOnce, work) {
  let next = first;
  const lane = async () => {
    while (next < first + count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce || 1, 4) }, lane));
}

const commands = {
  usage() {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    return { cpu_us: userCPUTime + systemCPUTime };
  },
  async open({ first, count, at_once }) {
    const walls = [];
    await each(first, count, at_once, async (number) => {
      const began = performance.now();
      await new Promise((online, failed) => connect(number, online).catch(failed));
      walls.push(Math.round((performance.now() - began) * 1000));
    });
    return { wall_us: walls };
  },
  async close() {
    closing = true;
    for (const socket of sockets.values()) socket.end(undefined);
    sockets.clear();
    await new Promise((done) => setTimeout(done, 1000));
    return {};
  },
  expect({ count, echo }) {
    ids.clear();
    wanted = count;
    echoes = echo === true;
    return {};
  },
  async arrived() {
    if (ids.size < wanted) await new Promise((done) => (reached = done));
    return ids.size;
  },
  async send({ accounts, to, count }) {
    acks.clear();
    const began = performance.now();
    const sent = [];
    for (const number of accounts) {
      const socket = sockets.get(number);
      // A chat's messages leave in their order; chats beside each other.
      for (const jid of to) {
        sent.push((async () => {
          const mine = [];
          for (let n = 0; n < count; n++) mine.push((await socket.sendMessage(jid, { text: TEXT })).key.id);
          return mine;
        })());
      }
    }
    const all = (await Promise.all(sent)).flat();
    while (!all.every((id) => acks.has(id))) await new Promise((done) => (acked = done));
    return { accepted: all.length, wall_us: Math.round((performance.now() - began) * 1000) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.cmd === "end") break;
  try {
    // A wait must not keep the next command from being read.
    const done = commands[command.cmd](command);
    say({ done: await done });
  } catch (error) {
    say({ failed: String(error?.stack ?? error) });
  }
}
process.exit(0);
