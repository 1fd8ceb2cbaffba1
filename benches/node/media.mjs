// Media of the JavaScript peers, on the input of src/bin/media.rs: sealing and opening 64 MiB with their own functions.
// Run: npm ci && taskset -c 0 node media.mjs. Prints the minimum of five runs and writes ../results/media-node.txt.
//
// Baileys seals into a file, as it always does; TMPDIR should be in memory. It draws its own media key, so its hash of
// the sealed file is checked by what it opens to.
import { createHash } from 'node:crypto';
import { createReadStream, unlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { encryptedStream } from 'baileys/lib/Utils/messages-media.js';

const require = createRequire(import.meta.url);
const zapo = join(fileURLToPath(new URL('.', import.meta.url)), 'node_modules/zapo-js/dist/media/WaMediaCrypto.js');
const { WaMediaCrypto } = require(zapo);

const LEN = 64 << 20;
const PIECE = 64 << 10;
const KEY = new Uint8Array(32).fill(0x5a);
const text = Buffer.alloc(LEN);
for (let at = 0; at < LEN; at++) text[at] = (at * 31 + (at >> 11)) & 0xff;
const plainHash = createHash('sha256').update(text).digest('hex');
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function* pieces(bytes) {
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

async function drain(stream) {
    let length = 0;
    for await (const piece of stream) length += piece.length;
    return length;
}

async function zapoSeal(sidecar) {
    const { encrypted, metadata } = await WaMediaCrypto.encryptReadable('video', KEY, Readable.from(pieces(text)), { sidecar });
    const [, found] = await Promise.all([drain(encrypted), metadata]);
    if (hex(found.fileSha256) !== plainHash) throw new Error('zapo: another hash');
    return hex(found.fileEncSha256);
}

async function zapoOpen(sealed) {
    const options = { mediaType: 'video', mediaKey: KEY, expectedFileSha256: Buffer.from(plainHash, 'hex') };
    const { plaintext, metadata } = await WaMediaCrypto.decryptReadable(Readable.from(pieces(sealed)), options);
    const [length] = await Promise.all([drain(plaintext), metadata]);
    if (length !== LEN) throw new Error('zapo: another length');
}

async function baileysSeal(path) {
    const found = await encryptedStream({ stream: createReadStream(path, { highWaterMark: PIECE }) }, 'video');
    unlinkSync(found.encFilePath);
    if (hex(found.fileSha256) !== plainHash) throw new Error('Baileys: another hash');
}

async function measure(name, work) {
    const runs = [];
    for (let run = 0; run < 5; run++) {
        const start = process.hrtime.bigint();
        await work();
        runs.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
    const best = Math.min(...runs);
    return `${name}: ${best.toFixed(1)} ms, ${(LEN / 1e3 / best).toFixed(0)} MB/s, runs: ${runs.map((it) => it.toFixed(1)).join(' ')}`;
}

const path = join(tmpdir(), `media-bench-${process.pid}`);
writeFileSync(path, text);
const sealed = (await WaMediaCrypto.encryptBytes('video', KEY, text, { sidecar: false })).ciphertextHmac;
const lines = [
    `cpu ${cpus()[0].model}, node ${process.version}`,
    await measure('seal with sidecar, zapo-js 0.3.0', () => zapoSeal(true)),
    await measure('seal without sidecar, zapo-js 0.3.0', () => zapoSeal(false)),
    await measure('seal without sidecar, Baileys 7.0.0-rc14', () => baileysSeal(path)),
    await measure('open, zapo-js 0.3.0', () => zapoOpen(Buffer.from(sealed))),
];
unlinkSync(path);
console.log(lines.join('\n'));
writeFileSync(new URL('../results/media-node.txt', import.meta.url), lines.join('\n') + '\n');
