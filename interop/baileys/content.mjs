// What a message says, in the words that all drivers share (docs/interop.md): `shown` for what Baileys decrypted,
// `composed` for what its `sendMessage` takes. A kind that it has no words for goes as the protobuf message (`raw`).

import { createHash } from "node:crypto";
import {
  decryptEventResponse, decryptPollVote, downloadMediaMessage, getContentType, jidNormalizedUser,
  normalizeMessageContent, prepareWAMessageMedia, proto,
} from "baileys";

const number = (value) => (value === null || value === undefined ? undefined : Number(value));
const hex = (bytes) => (bytes ? Buffer.from(bytes).toString("hex") : undefined);
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const target = (key) => ({ target: key?.id });

/** Name and number of a card. */
function card({ displayName, vcard }) {
  return { name: displayName, number: /waid=(\d+)/.exec(vcard ?? "")?.[1] };
}

const vcard = ({ name, number }) =>
  `BEGIN:VCARD\nVERSION:3.0\nN:;${name};;;\nFN:${name}\nTEL;type=CELL;waid=${number}:+${number}\nEND:VCARD`;

const filed = (kind) => (it) => ({
  kind, text: it.caption ?? undefined, mime: it.mimetype, file_name: it.fileName ?? undefined,
  seconds: number(it.seconds), waveform: hex(it.waveform), view_once: it.viewOnce || undefined,
});

const poll = (it) => ({
  kind: "poll", question: it.name, options: it.options.map(({ optionName }) => optionName),
  choices: it.selectableOptionsCount ?? 0, quiz: it.correctAnswer?.optionName,
});

const ANSWERS = ["unknown", "going", "not-going", "maybe"];
const { Type } = proto.Message.ProtocolMessage;

function protocol(it) {
  switch (it.type) {
    case Type.REVOKE: return { kind: "revoke", ...target(it.key) };
    case Type.MESSAGE_EDIT: {
      const { text, mime } = shown(it.editedMessage);
      return { kind: "edit", ...target(it.key), text, mime };
    }
    case Type.EPHEMERAL_SETTING: return { kind: "disappearing", seconds: it.ephemeralExpiration ?? 0 };
    case Type.LIMIT_SHARING: return { kind: "limit-sharing", on: it.limitSharing?.sharingLimited ?? false };
    case Type.SHARE_PHONE_NUMBER: return { kind: "phone-number" };
    default: return { kind: "protocol" };
  }
}

const kinds = {
  conversation: (text) => ({ kind: "text", text }),
  extendedTextMessage: (it) => ({
    kind: "text", text: it.text, link: it.matchedText, title: it.title, description: it.description,
    background: it.backgroundArgb ?? undefined, font: it.font ?? undefined,
  }),
  imageMessage: filed("image"),
  videoMessage: (it) => filed(it.gifPlayback ? "gif" : "video")(it),
  ptvMessage: filed("round-video"),
  audioMessage: (it) => filed(it.ptt ? "voice-note" : "audio")(it),
  documentMessage: filed("document"),
  stickerMessage: filed("sticker"),
  albumMessage: (it) => ({ kind: "album", images: it.expectedImageCount ?? 0, videos: it.expectedVideoCount ?? 0 }),
  contactMessage: (it) => ({ kind: "contact", cards: [card(it)] }),
  contactsArrayMessage: (it) => ({ kind: "contacts", cards: it.contacts.map(card) }),
  locationMessage: (it) => ({
    kind: "location", latitude: it.degreesLatitude, longitude: it.degreesLongitude, name: it.name, address: it.address,
  }),
  liveLocationMessage: (it) => ({
    kind: "live-location", latitude: it.degreesLatitude, longitude: it.degreesLongitude, text: it.caption,
    accuracy: it.accuracyInMeters, sequence: number(it.sequenceNumber),
  }),
  reactionMessage: (it) => ({ kind: "reaction", text: it.text, ...target(it.key) }),
  protocolMessage: protocol,
  pollCreationMessage: poll, pollCreationMessageV2: poll, pollCreationMessageV3: poll, pollCreationMessageV5: poll,
  pollUpdateMessage: (it) => ({ kind: "vote", ...target(it.pollCreationMessageKey) }),
  eventMessage: (it) => ({
    kind: "event", name: it.name, text: it.description, starts_at: number(it.startTime), place: it.location?.name,
  }),
  encEventResponseMessage: (it) => ({ kind: "event-response", ...target(it.eventCreationMessageKey) }),
  pinInChatMessage: (it, beside) => ({
    kind: it.type === proto.Message.PinInChatMessage.Type.PIN_FOR_ALL ? "pin" : "unpin", ...target(it.key),
    seconds: beside?.messageAddOnDurationInSecs ?? 0,
  }),
  keepInChatMessage: (it) => ({
    kind: it.keepType === proto.KeepType.KEEP_FOR_ALL ? "keep" : "unkeep", ...target(it.key),
  }),
  groupInviteMessage: (it) => ({
    kind: "group-invite", group: it.groupJid, code: it.inviteCode, name: it.groupName, text: it.caption,
    expires_at: number(it.inviteExpiration),
  }),
  buttonsMessage: (it) => ({
    kind: "buttons", text: it.contentText,
    buttons: it.buttons.map((one) => ({ id: one.buttonId, text: one.buttonText?.displayText })),
  }),
  listMessage: (it) => ({
    kind: "list", text: it.description, button: it.buttonText,
    buttons: it.sections.flatMap(({ rows }) => rows.map((row) => ({ id: row.rowId, text: row.title }))),
  }),
  buttonsResponseMessage: (it) => ({ kind: "button-reply", id: it.selectedButtonId, text: it.selectedDisplayText }),
  listResponseMessage: (it) => ({ kind: "list-reply", id: it.singleSelectReply?.selectedRowId, text: it.title }),
  templateButtonReplyMessage: (it) => ({
    kind: "template-reply", id: it.selectedId, text: it.selectedDisplayText, index: it.selectedIndex,
  }),
  interactiveResponseMessage: (it) => ({
    kind: "flow-reply", id: it.nativeFlowResponseMessage?.name, text: it.body?.text,
    params: it.nativeFlowResponseMessage?.paramsJson,
  }),
  requestPhoneNumberMessage: () => ({ kind: "phone-number-request" }),
};

/** What a message says; `choice` instead of `id` for what was chosen, since `id` is the message's. */
export function shown(message) {
  const inner = normalizeMessageContent(message);
  const type = getContentType(inner);
  const content = inner?.[type];
  const beside = message?.messageContextInfo ?? inner?.messageContextInfo;
  const { id, ...fields } = kinds[type]?.(content, beside) ?? { kind: type ?? "none" };
  const around = content?.contextInfo;
  return {
    ...fields,
    choice: id,
    view_once: fields.view_once
      ?? (message?.viewOnceMessage || message?.viewOnceMessageV2 || message?.viewOnceMessageV2Extension ? true : undefined),
    quoted: around?.stanzaId || undefined,
    mentions: around?.mentionedJid?.length ? around.mentionedJid : undefined,
    everyone: around?.nonJidMentions ? true : undefined,
    forwarded: around?.forwardingScore || undefined,
    expires: around?.expiration || undefined,
    album: beside?.messageAssociation?.parentMessageKey?.id,
  };
}

/** The bytes of a file, as their length and digest. */
async function fileOf(message) {
  const inner = normalizeMessageContent(message.message);
  const content = inner?.[getContentType(inner)];
  if (content?.editedMessage) return fileOf({ ...message, message: content.editedMessage });
  if (!content?.mediaKey || !content.url) return {};
  const bytes = await downloadMediaMessage(message, "buffer", {});
  return { sha256: digest(bytes), length: bytes.length };
}

/** What was sealed under the secret of a message, tried with every name that its author and the sender have. */
function opened(message, known, own) {
  const inner = normalizeMessageContent(message.message);
  const vote = inner?.pollUpdateMessage;
  const response = inner?.encEventResponseMessage;
  const key = vote?.pollCreationMessageKey ?? response?.eventCreationMessageKey;
  const about = known.get(key?.id);
  const secret = about?.message?.messageContextInfo?.messageSecret;
  if (!secret) return {};
  const names = ({ participant, participantAlt, remoteJid, remoteJidAlt, fromMe }) =>
    fromMe ? own : participant ? [participant, participantAlt] : [remoteJid, remoteJidAlt];
  for (const author of names(about.key).filter(Boolean).map(jidNormalizedUser)) {
    for (const sender of names(message.key).filter(Boolean).map(jidNormalizedUser)) {
      try {
        if (response) {
          const it = decryptEventResponse(response, {
            eventCreatorJid: author, eventMsgId: key.id, eventEncKey: secret, responderJid: sender,
          });
          return { answer: ANSWERS[it.response] };
        }
        const { selectedOptions } = decryptPollVote(vote.vote, {
          pollCreatorJid: author, pollMsgId: key.id, pollEncKey: secret, voterJid: sender,
        });
        const { options } = shown(about.message);
        const chosen = selectedOptions.map(hex);
        return { chosen: options.filter((option) => chosen.includes(digest(option))) };
      } catch {
        // Sealed with another name.
      }
    }
  }
  return {};
}

/** Everything that a driver prints of a message: `known` are messages by their id, `own` the account's addresses. */
export async function told(message, known, own) {
  return { ...shown(message.message), ...opened(message, known, own), ...(await fileOf(message)) };
}

/**
 * What is to be sent: `content` and `options` for `sendMessage`, or `raw` for what it has no words for. `known` are
 * messages by their id, `upload` is how the client uploads.
 */
export async function composed(kind, it, known, upload) {
  const about = known.get(it.target);
  const key = about?.key;
  const media = { url: it.path };
  const options = {
    quoted: it.quote ? known.get(it.quote) : undefined,
    ephemeralExpiration: it.expires,
    statusJidList: it.audience,
    backgroundColor: it.background === undefined ? undefined : it.background.toString(16),
    font: it.font,
  };
  const beside = {
    caption: it.text, mimetype: it.mime, viewOnce: it.view_once, seconds: it.seconds, mentions: it.mentions,
    albumParentKey: it.album ? known.get(it.album).key : undefined,
  };
  const say = (content) => ({ content, options });
  // `sendMessage` wraps what may be seen once and forgets its mediatype: the server would deliver it to nobody.
  const file = async (content) =>
    it.view_once ? { options, raw: await prepareWAMessageMedia(content, { upload }) } : say(content);
  switch (kind) {
    case "text":
      return say({
        text: it.text, mentions: it.mentions, mentionAll: it.everyone,
        linkPreview: it.link
          ? { "canonical-url": it.link, "matched-text": it.link, title: it.title, description: it.description }
          : null,
      });
    case "forward": return say({ forward: about, force: true });
    case "image": return file({ image: media, ...beside });
    case "video": return file({ video: media, ...beside });
    case "gif": return file({ video: media, gifPlayback: true, ...beside });
    case "round-video": return file({ video: media, ptv: true, ...beside });
    case "audio": return file({ audio: media, ...beside });
    case "voice-note": return file({ audio: media, ptt: true, waveform: Buffer.from(it.waveform, "hex"), ...beside });
    case "document": return say({ document: media, fileName: it.file_name, ...beside });
    case "sticker": return say({ sticker: media, ...beside });
    case "album": return say({ album: { expectedImageCount: it.images, expectedVideoCount: it.videos } });
    case "contact":
    case "contacts":
      return say({
        contacts: {
          displayName: `${it.cards.length} contacts`,
          contacts: it.cards.map((one) => ({ displayName: one.name, vcard: vcard(one) })),
        },
      });
    case "location":
      return say({
        location: { degreesLatitude: it.latitude, degreesLongitude: it.longitude, name: it.name, address: it.address },
      });
    case "live-location":
      return {
        options,
        raw: {
          liveLocationMessage: {
            degreesLatitude: it.latitude, degreesLongitude: it.longitude, caption: it.text,
            accuracyInMeters: it.accuracy, sequenceNumber: it.sequence,
          },
        },
      };
    case "reaction": return say({ react: { text: it.text, key } });
    case "edit":
      return say(it.path ? { image: media, ...beside, edit: key } : { text: it.text, linkPreview: null, edit: key });
    case "revoke": return say({ delete: key });
    case "poll":
      if (it.quiz) {
        const named = it.options.map((optionName) => ({ optionName }));
        const quiz = {
          name: it.question, options: named, selectableOptionsCount: 1, pollType: 1, pollContentType: 1,
          correctAnswer: { optionName: it.quiz },
        };
        return { options, raw: { pollCreationMessageV5: quiz } };
      }
      return say({ poll: { name: it.question, values: it.options, selectableCount: it.choices } });
    case "event":
      return say({
        event: {
          name: it.name, description: it.text, startDate: new Date(it.starts_at * 1000), location: { name: it.place },
        },
      });
    case "pin": return say({ pin: key, type: 1, time: it.seconds });
    case "unpin": return say({ pin: key, type: 2 });
    case "keep":
    case "unkeep":
      return { options, raw: { keepInChatMessage: { key, keepType: kind === "keep" ? 1 : 2, timestampMs: Date.now() } } };
    case "disappearing": return say({ disappearingMessagesInChat: it.seconds });
    case "group-invite":
      // `sendMessage` insists on a picture of the group.
      return {
        options,
        raw: {
          groupInviteMessage: {
            groupJid: it.group, inviteCode: it.code, groupName: it.name, caption: it.text, inviteExpiration: it.expires_at,
          },
        },
      };
    case "limit-sharing": return say({ limitSharing: it.on });
    case "buttons":
      return {
        options,
        raw: {
          buttonsMessage: {
            contentText: it.text, headerType: 1,
            buttons: it.buttons.map((one) => ({ buttonId: one.id, buttonText: { displayText: one.text }, type: 1 })),
          },
        },
      };
    case "list":
      return {
        options,
        raw: {
          listMessage: {
            description: it.text, buttonText: it.button, listType: 1,
            sections: [{ rows: it.buttons.map((one) => ({ rowId: one.id, title: one.text })) }],
          },
        },
      };
    case "button-reply":
      return say({ buttonReply: { displayText: it.text, id: it.choice, index: 0 }, type: "plain" });
    case "template-reply":
      return say({ buttonReply: { displayText: it.text, id: it.choice, index: it.index }, type: "template" });
    case "list-reply":
      return say({ listReply: { title: it.text, listType: 1, singleSelectReply: { selectedRowId: it.choice } } });
    case "flow-reply":
      return {
        options,
        raw: {
          interactiveResponseMessage: {
            body: { text: it.text }, nativeFlowResponseMessage: { name: it.choice, paramsJson: it.params, version: 3 },
          },
        },
      };
    case "raw": return { options, raw: proto.Message.fromObject(it.message) };
    case "phone-number-request": return say({ requestPhoneNumber: true });
    case "phone-number": return say({ sharePhoneNumber: true });
    default: throw new Error(`unknown kind ${kind}`);
  }
}
