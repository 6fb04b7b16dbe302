// Owns cutting a stream of bytes into lines, in time that grows with the bytes alone, however they arrive. It must never
// keep more of a line than is allowed.

export type Lines = { add(chunk: Buffer): void; end(): void };

const LINE_END = 10;

/** `heard` gets each line without its end; of one that is too long nothing more is heard. */
export function createLines(maxBytes: number, heard: (line: string) => void, tooLong: () => void): Lines {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const flush = (): void => {
    const line = Buffer.concat(pieces).toString('utf8');
    pieces = [];
    bytes = 0;
    heard(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
  return {
    add(chunk) {
      let from = 0;
      while (!isOver && from < chunk.length) {
        const at = chunk.indexOf(LINE_END, from);
        const piece = chunk.subarray(from, at === -1 ? chunk.length : at);
        bytes += piece.length;
        if (bytes > maxBytes) {
          isOver = true;
          pieces = [];
          tooLong();
          return;
        }
        pieces.push(piece);
        if (at === -1) return;
        flush();
        from = at + 1;
      }
    },
    end() {
      if (!isOver && bytes > 0) flush();
    },
  };
}
