// Owns how much of a child's output is kept: the beginning and the end, within one cap for both streams. It must never
// hold more than twice the cap, however much comes, and never cut a character in two.

export type StreamName = 'stdout' | 'stderr';

export type Capture = {
  /** Returns how many bytes have come so far, on both streams. */
  add(stream: StreamName, chunk: Uint8Array): number;
  finish(): { readonly stdout: string; readonly stderr: string; readonly truncated: boolean };
};

/** `ring` holds the last bytes after the head; it is made when the head is full, and `next` is where it goes on. */
type Kept = { head: Uint8Array[]; ring: Buffer | null; next: number; tailBytes: number; totalBytes: number };

export function createCapture(maxBytes: number): Capture {
  const half = Math.floor(maxBytes / 2);
  const kept: Record<StreamName, Kept> = { stdout: emptyKept(), stderr: emptyKept() };
  let headLeft = half;
  let total = 0;

  return {
    add(stream, chunk) {
      const into = kept[stream];
      total += chunk.length;
      into.totalBytes += chunk.length;
      const toHead = Math.min(headLeft, chunk.length);
      if (toHead > 0) {
        // A chunk is a slice of a shared pool; keeping the slice would keep all of its pool.
        into.head.push(Uint8Array.prototype.slice.call(chunk, 0, toHead));
        headLeft -= toHead;
      }
      if (toHead < chunk.length) keepTail(into, chunk.subarray(toHead), half);
      return total;
    },
    finish() {
      const { stdout, stderr } = kept;
      // Both tails share the second half: a short one leaves its room to the other.
      const quarter = Math.floor(half / 2);
      const forErr = Math.min(stderr.tailBytes, Math.max(quarter, half - stdout.tailBytes));
      const out = textOf(stdout, Math.min(stdout.tailBytes, half - forErr));
      const err = textOf(stderr, forErr);
      return { stdout: out.text, stderr: err.text, truncated: out.leftOut + err.leftOut > 0 };
    },
  };
}

function emptyKept(): Kept {
  return { head: [], ring: null, next: 0, tailBytes: 0, totalBytes: 0 };
}

function keepTail(into: Kept, chunk: Uint8Array, maxBytes: number): void {
  into.ring ??= Buffer.allocUnsafe(maxBytes);
  const kept = chunk.length > maxBytes ? chunk.subarray(chunk.length - maxBytes) : chunk;
  const untilEnd = Math.min(kept.length, maxBytes - into.next);
  into.ring.set(kept.subarray(0, untilEnd), into.next);
  into.ring.set(kept.subarray(untilEnd), 0);
  into.next = maxBytes === 0 ? 0 : (into.next + kept.length) % maxBytes;
  into.tailBytes = Math.min(maxBytes, into.tailBytes + kept.length);
}

function tailOf(from: Kept): Buffer {
  if (from.ring === null) return Buffer.alloc(0);
  if (from.tailBytes < from.ring.length) return from.ring.subarray(0, from.tailBytes);
  return Buffer.concat([from.ring.subarray(from.next), from.ring.subarray(0, from.next)]);
}

function textOf(from: Kept, tailBytes: number): { text: string; leftOut: number } {
  const head = Buffer.concat(from.head);
  const tail = tailOf(from);
  const leftOut = from.totalBytes - head.length - tailBytes;
  if (leftOut === 0) return { text: Buffer.concat([head, tail]).toString('utf8'), leftOut };
  const start = wholeCharStart(head);
  const end = wholeCharEnd(tail.subarray(tail.length - tailBytes));
  const lost = from.totalBytes - start.length - end.length;
  return { text: `${start.toString('utf8')}\n[… ${lost} bytes left out …]\n${end.toString('utf8')}`, leftOut };
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Without the beginning of a character at the very end. */
function wholeCharStart(bytes: Buffer): Buffer {
  let lead = bytes.length - 1;
  while (lead >= 0 && bytes.length - lead < 4 && isContinuation(bytes[lead])) lead -= 1;
  const byte = bytes[lead];
  if (byte === undefined || byte < 0xc0) return bytes;
  const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
  return lead + length > bytes.length ? bytes.subarray(0, lead) : bytes;
}

/** Without the end of a character at the very beginning. */
function wholeCharEnd(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}
