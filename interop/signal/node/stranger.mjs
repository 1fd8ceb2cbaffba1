// The Signal code that Baileys runs, driven over lines of JSON on stdin and stdout. It keeps its whole state as Baileys
// would (a key-value store of serialized records), so that every step reads back what the step before has written.
// Keys, ids and times follow from the seed; nothing else here is random.

import { createHash, createHmac } from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(import.meta.url)
const nodeCrypto = require('node:crypto')

// Everything that is logged goes to stderr: stdout belongs to the protocol below.
for (const level of ['log', 'info', 'warn', 'debug', 'trace', 'error']) {
  console[level] = process.env.STRANGER_LOG ? (...args) => process.stderr.write(`${args.join(' ')}\n`) : () => {}
}

let seed = Buffer.alloc(32)
let drawn = 0
const draw = length => {
  const parts = []
  for (let have = 0; have < length; have += 32) {
    const counter = Buffer.alloc(8)
    counter.writeBigUInt64BE(BigInt(drawn++))
    parts.push(createHmac('sha256', seed).update(counter).digest())
  }
  return Buffer.concat(parts).subarray(0, length)
}
nodeCrypto.randomBytes = length => draw(length)
nodeCrypto.randomInt = limit => Number(draw(8).readBigUInt64BE() % BigInt(limit))
syncBuiltinESMExports()
let clock = 1_700_000_000_000
Date.now = () => clock++

const { curve } = require('libsignal')
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI_LENGTH = 12
curve.generateKeyPair = () => {
  const privKey = draw(32)
  const key = nodeCrypto.createPrivateKey({ key: Buffer.concat([PKCS8, privKey]), format: 'der', type: 'pkcs8' })
  const spki = nodeCrypto.createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { privKey, pubKey: Buffer.concat([Buffer.from([5]), spki.subarray(SPKI_LENGTH)]) }
}

const { makeLibSignalRepository } = await import('baileys/lib/Signal/libsignal.js')
const { BufferJSON } = await import('baileys/lib/Utils/generics.js')

const PEER = '15550100001@s.whatsapp.net'
const ME = '15550100002@s.whatsapp.net'
const GROUP = '120363000000000000@g.us'
const logger = new Proxy({}, { get: () => () => {} })
const hex = bytes => Buffer.from(bytes).toString('hex')
const bytes = text => Buffer.from(text, 'hex')

let store
let creds
let repository
let nextId = 1
const opened = createHash('sha256')
let count = 0

const keys = {
  get: async (type, ids) => Object.fromEntries(ids.map(id => [id, store.get(`${type} ${id}`)])),
  set: async data => {
    for (const [type, entries] of Object.entries(data)) {
      for (const [id, value] of Object.entries(entries)) {
        if (value === null || value === undefined) store.delete(`${type} ${id}`)
        else store.set(`${type} ${id}`, structuredCloneOfRecord(value))
      }
    }
  },
  transaction: async work => work()
}

// What a file store does: write it out, read it in.
function structuredCloneOfRecord(value) {
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  return JSON.parse(JSON.stringify(value), (_, item) => (item?.type === 'Buffer' ? Buffer.from(item.data) : item))
}

const newPair = () => {
  const pair = curve.generateKeyPair()
  return { public: pair.pubKey.subarray(1), private: pair.privKey, serialized: pair.pubKey }
}

function install() {
  store = new Map()
  const identity = newPair()
  const signed = newPair()
  creds = {
    signedIdentityKey: identity,
    registrationId: 1 + nodeCrypto.randomInt(16380),
    signedPreKey: {
      keyId: nextId++,
      keyPair: signed,
      signature: curve.calculateSignature(identity.private, signed.serialized)
    }
  }
  repository = makeLibSignalRepository({ creds, keys }, logger, async () => [])
  return { identity: hex(identity.serialized), registration_id: creds.registrationId }
}

function note(plaintext) {
  count += 1
  opened.update(plaintext)
  return { plaintext: hex(plaintext) }
}

const steps = {
  hello: ({ seed: text }) => {
    seed = bytes(text)
    return { name: `libsignal ${require('libsignal/package.json').version} under Baileys`, ...install() }
  },
  reinstall: () => install(),
  bundle: async ({ one_time: oneTime }) => {
    const { keyId, keyPair, signature } = creds.signedPreKey
    const bundle = { signed_id: keyId, signed: hex(keyPair.serialized), signature: hex(signature) }
    if (oneTime) {
      const pair = newPair()
      bundle.one_time_id = nextId++
      bundle.one_time = hex(pair.serialized)
      await keys.set({ 'pre-key': { [bundle.one_time_id]: { public: pair.public, private: pair.private } } })
    }
    return bundle
  },
  initiate: async bundle => {
    const session = {
      registrationId: bundle.registration_id,
      identityKey: bytes(bundle.identity),
      signedPreKey: { keyId: bundle.signed_id, publicKey: bytes(bundle.signed), signature: bytes(bundle.signature) }
    }
    if (bundle.one_time) session.preKey = { keyId: bundle.one_time_id, publicKey: bytes(bundle.one_time) }
    await repository.injectE2ESession({ jid: PEER, session })
    return {}
  },
  encrypt: async ({ plaintexts }) => {
    let sealed
    for (const plaintext of plaintexts) {
      sealed = await repository.encryptMessage({ jid: PEER, data: bytes(plaintext) })
    }
    return { kind: sealed.type, bytes: hex(sealed.ciphertext) }
  },
  decrypt: async ({ kind, bytes: sealed }) =>
    note(await repository.decryptMessage({ jid: PEER, type: kind, ciphertext: bytes(sealed) })),
  sender_key: async ({ rotate }) => {
    if (rotate) {
      for (const key of store.keys()) if (key.startsWith('sender-key ') && key.includes('15550100002')) store.delete(key)
    }
    return { distribution: hex(await repository.getSenderKeyDistributionMessage({ group: GROUP, meId: ME })) }
  },
  group_encrypt: async ({ plaintexts }) => {
    let sealed
    for (const plaintext of plaintexts) {
      sealed = await repository.encryptGroupMessage({ group: GROUP, meId: ME, data: bytes(plaintext) })
    }
    return { bytes: hex(sealed.ciphertext) }
  },
  distribute: async ({ distribution }) => {
    await repository.processSenderKeyDistributionMessage({
      item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: bytes(distribution) },
      authorJid: PEER
    })
    return {}
  },
  group_decrypt: async ({ bytes: sealed }) =>
    note(await repository.decryptGroupMessage({ group: GROUP, authorJid: PEER, msg: bytes(sealed) })),
  records: () => {
    const json = value => JSON.stringify(value, BufferJSON.replacer)
    const all = type => Object.fromEntries(
      [...store].filter(([key]) => key.startsWith(`${type} `)).map(([key, value]) => [key.slice(type.length + 1), value])
    )
    return {
      credentials: json(creds),
      sessions: Object.fromEntries(Object.entries(all('session')).map(([id, value]) => [id, json(value)])),
      identities: Object.fromEntries(Object.entries(all('identity-key')).map(([id, value]) => [id, json(value)])),
      pre_keys: Object.fromEntries(Object.entries(all('pre-key')).map(([id, value]) => [id, json(value)])),
      sender_keys: Object.fromEntries(Object.entries(all('sender-key')).map(([id, value]) => [id, value.toString()]))
    }
  },
  summary: () => ({ opened: count, digest: opened.copy().digest('hex') })
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...rest } = JSON.parse(line)
  let answer
  try {
    answer = await steps[step](rest)
  } catch (error) {
    answer = { error: `${error?.message ?? error}` }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit(0)
