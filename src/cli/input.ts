// Owns what comes from standard input as a whole, and questions whose answers must not be seen. It never echoes.
import { Writable } from 'node:stream';
import { type HardshellError, misused } from '../platform/errors.ts';
import type { Output } from './output.ts';

export async function readInput(out: Output, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of out.streams.stdin) {
    const buffer = Buffer.from(chunk as Buffer);
    bytes += buffer.length;
    if (bytes > maxBytes) throw refused(`standard input is larger than ${maxBytes} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The value of a secret: asked for without echo on a terminal, else all of standard input without its last line feed. */
export async function readHidden(out: Output, question: string, maxBytes: number): Promise<string> {
  if (out.streams.stdin.isTTY !== true) return (await readInput(out, maxBytes)).replace(/\r?\n$/, '');
  const { stdin, stderr } = out.streams;
  const { createInterface } = await import('node:readline');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: true, historySize: 0 });
  // Only now the terminal echoes nothing: whoever types as soon as there is a question must not see it either.
  stderr.write(out.paint('stderr', `${question} (not shown): `));
  try {
    return await new Promise((resolve, reject) => {
      lines.on('SIGINT', () => reject(refused('nothing was entered')));
      lines.on('close', () => reject(refused('nothing was entered')));
      lines.question('', resolve);
    });
  } finally {
    lines.close();
    stdin.pause();
    stderr.write('\n');
  }
}

/** Entered twice where there is somebody to mistype it. */
export async function readPassphrase(out: Output, question: string, maxBytes: number): Promise<string> {
  const passphrase = await readHidden(out, question, maxBytes);
  if (out.streams.stdin.isTTY && passphrase !== (await readHidden(out, 'once more', maxBytes)))
    throw misused('PASSPHRASE_DIFFERS', 'the two passphrases are not the same', 'enter it again');
  return passphrase;
}

const refused = (message: string): HardshellError => misused('INPUT_UNUSABLE', message, 'enter it, or pipe it in');
