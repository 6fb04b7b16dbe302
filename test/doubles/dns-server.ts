// Owns a name server for tests, over UDP: what a name leads to is in the name, and may change from one question to the next.
// Loopback only.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

export const PUBLIC = '93.184.216.34';
/** By the first word of the name; each answer once, and the last one from then on. */
const ZONES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  rebind: [[PUBLIC], ['127.0.0.1']],
  loopback: [['127.0.0.1']],
  lan: [['192.168.1.1']],
  metadata: [['169.254.169.254']],
  mixed: [[PUBLIC, '10.0.0.1']],
  mapped: [['::ffff:127.0.0.1']],
  inland: [['fd00::1']],
  translated: [['64:ff9b::7f00:1']],
};
const [A, AAAA] = [1, 28];

export async function startDnsServer(port: number) {
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = questionIn(query);
    const zone = ZONES[name.split(/[.\d-]/, 1)[0] ?? ''] ?? [];
    const isOurs = type === (zone.flat().every(isIPv4) ? A : AAAA);
    const turn = asked.get(name) ?? 0;
    if (isOurs) asked.set(name, turn + 1);
    const answers = isOurs ? (zone[Math.min(turn, zone.length - 1)] ?? []) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...answers.map(recordOf)]), from.port, from.address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return { asked: (name: string): number => asked.get(name) ?? 0, close: () => socket.close() };
}

function questionIn(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Of the name that was asked about, to be forgotten at once. */
function recordOf(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : bytesOf6(address);
  const head = Buffer.from([0xc0, 12, 0, isIPv4(address) ? A : AAAA, 0, 1, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([head, data]);
}

function bytesOf6(address: string): Buffer {
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [front = '', back] = plain.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [first, last] = [words(front), words(back ?? '')];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}
