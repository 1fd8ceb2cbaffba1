// The npm package `baileys` as a stranger: commands as lines of JSON on stdin, what it saw as lines of JSON on stdout.
// The package is unpatched; only the URL is another one. Arguments: URL, folder for its credentials, push name.

import { createInterface } from "node:readline";
import makeWASocket, { Browsers, DisconnectReason, useMultiFileAuthState } from "baileys";

const [url, folder, name] = process.argv.slice(2);
const say = (event, rest = {}) => process.stdout.write(JSON.stringify({ event, ...rest }) + "\n");
const silent = { level: "silent", child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
// BAILEYS_LOG=1 shows on stderr what the client itself complains about.
const logger = process.env.BAILEYS_LOG
  ? { ...silent, child: () => logger, warn: (...a) => console.error(...a), error: (...a) => console.error(...a) }
  : silent;

let socket;
let stopping = false;
const sent = new Map();

function contentOf(message) {
  const inner = message?.ephemeralMessage?.message ?? message;
  if (inner?.conversation) return { kind: "text", text: inner.conversation };
  if (inner?.extendedTextMessage) {
    const { text, contextInfo } = inner.extendedTextMessage;
    return { kind: "text", text, quoted: contextInfo?.stanzaId || undefined };
  }
  if (inner?.reactionMessage) {
    return { kind: "reaction", text: inner.reactionMessage.text, target: inner.reactionMessage.key?.id };
  }
  return { kind: Object.keys(inner ?? {}).filter((key) => key !== "messageContextInfo")[0] ?? "none" };
}

async function connect() {
  const { state, saveCreds } = await useMultiFileAuthState(folder);
  // Two clients with one push name become two devices of one account.
  if (!state.creds.me) state.creds.me = undefined;
  socket = makeWASocket({
    auth: state,
    waWebSocketUrl: url,
    browser: Browsers.ubuntu("Chrome"),
    logger,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
    markOnlineOnConnect: true,
    getMessage: async (key) => sent.get(key.id),
  });
  socket.ev.on("creds.update", saveCreds);
  socket.ev.on("connection.update", ({ connection, lastDisconnect, qr, isNewLogin, receivedPendingNotifications }) => {
    if (qr) say("qr", { code: qr });
    if (isNewLogin) say("paired");
    if (connection === "open") say("open", { jid: socket.user?.id, lid: socket.user?.lid });
    if (receivedPendingNotifications) say("caught-up");
    if (connection === "close") {
      const code = lastDisconnect?.error?.output?.statusCode;
      say("close", { code });
      if (code === DisconnectReason.restartRequired && !stopping) connect();
    }
  });
  socket.ev.on("messages.upsert", ({ messages, type }) => {
    for (const { key, message, pushName, messageStubType, messageStubParameters } of messages) {
      if (!message) {
        say("undecryptable", { id: key.id, chat: key.remoteJid, why: messageStubParameters, stub: messageStubType });
        continue;
      }
      if (key.fromMe && sent.has(key.id)) continue;
      say("message", {
        id: key.id, chat: key.remoteJid, chat_alt: key.remoteJidAlt, from_me: !!key.fromMe,
        sender: key.participant ?? key.remoteJid, sender_alt: key.participantAlt, name: pushName, type,
        ...contentOf(message),
      });
    }
  });
  socket.ev.on("messages.reaction", (reactions) => {
    for (const { key, reaction } of reactions) {
      say("reaction", { target: key.id, text: reaction.text, chat: key.remoteJid });
    }
  });
  socket.ev.on("messages.update", (updates) => {
    for (const { key, update } of updates) {
      if (update.status !== undefined) say("status", { id: key.id, chat: key.remoteJid, status: update.status });
    }
  });
  socket.ev.on("message-receipt.update", (updates) => {
    for (const { key, receipt } of updates) {
      const what = receipt.readTimestamp ? "read" : "delivered";
      say("receipt", { id: key.id, chat: key.remoteJid, user: receipt.userJid, what });
    }
  });
}

const commands = {
  connect,
  async pair_code({ phone }) {
    say("code", { code: await socket.requestPairingCode(phone) });
  },
  async send({ to, text, quoted }) {
    const options = quoted ? { quoted: { key: quoted.key, message: { conversation: quoted.text } } } : {};
    const result = await socket.sendMessage(to, { text }, options);
    sent.set(result.key.id, result.message);
    return { id: result.key.id };
  },
  async react({ key, emoji }) {
    const result = await socket.sendMessage(key.remoteJid, { react: { text: emoji, key } });
    sent.set(result.key.id, result.message);
    return { id: result.key.id };
  },
  async read({ keys }) {
    await socket.readMessages(keys);
  },
  async group_create({ subject, members }) {
    const group = await socket.groupCreate(subject, members);
    return { jid: group.id };
  },
  async disconnect() {
    stopping = true;
    socket.end(undefined);
  },
  async quit() {
    stopping = true;
    socket?.end(undefined);
    process.exit(0);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { cmd, n, ...rest } = JSON.parse(line);
  stopping = false;
  try {
    say("done", { n, cmd, ...((await commands[cmd](rest)) ?? {}) });
  } catch (error) {
    say("failed", { n, cmd, error: String(error?.stack ?? error) });
  }
}
process.exit(0);
