// The npm package `baileys` as a stranger: commands as lines of JSON on stdin, what it saw as lines of JSON on stdout.
// The package is unpatched; only the URL is another one. Arguments: URL, folder for its credentials, push name.

import { createInterface } from "node:readline";
import makeWASocket, {
  Browsers, DisconnectReason, generateWAMessageFromContent, useMultiFileAuthState,
} from "baileys";
import { composed, told } from "./content.mjs";

const [url, folder, name] = process.argv.slice(2);
const say = (event, rest = {}) => process.stdout.write(JSON.stringify({ event, ...rest }) + "\n");
const silent = { level: "silent", child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
// BAILEYS_LOG=1 shows on stderr what the client itself complains about.
const logger = process.env.BAILEYS_LOG
  ? { ...silent, child: () => logger, warn: (...a) => console.error(...a), error: (...a) => console.error(...a) }
  : silent;

let socket;
let stopping = false;
// Own messages, and all of them, by their id: what is resent, what others refer to.
const sent = new Map();
const known = new Map();

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
    getMessage: async (key) => sent.get(key.id)?.message,
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
  socket.ev.on("messages.upsert", async ({ messages, type }) => {
    for (const whole of messages) {
      const { key, message, pushName, messageStubType, messageStubParameters } = whole;
      if (!message) {
        say("undecryptable", { id: key.id, chat: key.remoteJid, why: messageStubParameters, stub: messageStubType });
        continue;
      }
      if (key.fromMe && sent.has(key.id)) continue;
      known.set(key.id, whole);
      let content;
      try {
        content = await told(whole, known, [socket.user?.id, socket.user?.lid]);
      } catch (error) {
        content = { kind: "broken", why: String(error?.stack ?? error) };
      }
      say("message", {
        id: key.id, chat: key.remoteJid, chat_alt: key.remoteJidAlt, from_me: !!key.fromMe,
        sender: key.participant ?? key.remoteJid, sender_alt: key.participantAlt, name: pushName, type,
        ...content,
      });
    }
  });
  socket.ev.on("call", (calls) => {
    for (const { id, from, status } of calls) say("call", { call: id, from, what: status });
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
  /** A text, unless `kind` says otherwise; the other fields are those of content.mjs. */
  async send({ to, kind = "text", ...fields }) {
    const { content, raw, options } = await composed(kind, fields, known, socket.waUploadToServer);
    let whole;
    if (raw) {
      whole = generateWAMessageFromContent(to, raw, { userJid: socket.user.id, ...options });
      await socket.relayMessage(to, whole.message, { messageId: whole.key.id });
    } else {
      whole = await socket.sendMessage(to, content, options);
    }
    sent.set(whole.key.id, whole);
    known.set(whole.key.id, whole);
    return { id: whole.key.id };
  },
  async reject({ call, from }) {
    await socket.rejectCall(call, from);
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
