// Owns what is kept of the output of a command that goes on: its beginning and its newest part, by the byte counted from
// the start. It must never hold more than its two parts, and never cut a character in two.

export type Output = {
  add(chunk: Uint8Array): void;
  /** bytes so far, kept or not */
  total(): number;
  /** from that byte on, at most `maxBytes`; `from` is where it really begins, `next` where to go on */
  read(offset: number, maxBytes: number): { readonly text: string; readonly from: number; readonly next: number };
};

const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 56 * 1024;

export function createOutput(): Output {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  // Made when it is needed: most commands say little.
  let ring: Buffer | null = null;
  let total = 0;

  const tailStart = (): number => Math.max(HEAD_BYTES, total - TAIL_BYTES);

  /** Bytes that are kept, from `start` to before `end`, which lie both in the head or both in the tail. */
  function bytes(start: number, end: number): Buffer {
    if (end <= HEAD_BYTES || ring === null) return Buffer.from(head.subarray(start, end));
    const kept = Buffer.allocUnsafe(end - start);
    const at = start % TAIL_BYTES;
    const untilEnd = Math.min(kept.length, TAIL_BYTES - at);
    ring.copy(kept, 0, at, at + untilEnd);
    ring.copy(kept, untilEnd, 0, kept.length - untilEnd);
    return kept;
  }

  return {
    add(chunk) {
      const toHead = Math.min(chunk.length, Math.max(0, HEAD_BYTES - total));
      if (toHead > 0) head.set(chunk.subarray(0, toHead), total);
      const rest = chunk.subarray(toHead);
      total += toHead;
      if (rest.length === 0) return;
      ring ??= Buffer.allocUnsafe(TAIL_BYTES);
      const kept = rest.length > TAIL_BYTES ? rest.subarray(rest.length - TAIL_BYTES) : rest;
      total += rest.length;
      const at = (total - kept.length) % TAIL_BYTES;
      const untilEnd = Math.min(kept.length, TAIL_BYTES - at);
      ring.set(kept.subarray(0, untilEnd), at);
      ring.set(kept.subarray(untilEnd), 0);
    },
    total: () => total,
    read(offset, maxBytes) {
      const wanted = Math.max(0, Math.min(offset, total));
      const from = wanted < Math.min(HEAD_BYTES, total) ? wanted : Math.max(wanted, Math.min(tailStart(), total));
      let next = Math.min(total, from + maxBytes);
      const parts: Buffer[] = [];
      let beforeGap = false;
      if (from < HEAD_BYTES) {
        const end = Math.min(next, HEAD_BYTES);
        parts.push(bytes(from, end));
        // What lies between the head and the tail is gone: the reader goes on from there.
        beforeGap = next >= HEAD_BYTES && tailStart() > HEAD_BYTES;
        if (beforeGap) next = HEAD_BYTES;
        else if (next > HEAD_BYTES) parts.push(bytes(HEAD_BYTES, next));
      } else if (next > from) parts.push(bytes(from, next));
      const joined = Buffer.concat(parts);
      const whole = withoutHalfEnd(joined);
      const text = withoutHalfStart(whole, from > wanted).toString('utf8');
      return { text, from, next: from + (beforeGap ? joined : whole).length };
    },
  };
}

/** Without the beginning of a character at the very end: it is read the next time. */
function withoutHalfEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    // A lone piece is no text at all: it is shown as it is, or nothing would ever come after it.
    return length > back && bytes.length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

/** Without the end of a character at the very beginning, when what came before it is gone. */
function withoutHalfStart(bytes: Buffer, isCut: boolean): Buffer {
  let start = 0;
  while (isCut && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start);
}
