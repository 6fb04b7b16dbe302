// Owns the form of a backup: a gzipped tar whose first entry is the manifest, with a seal over all bytes at its end. The
// only file that knows the library for tar. What it reads may come from an enemy, so it hands on nothing unasked.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, gzipSync } from 'node:zlib';
import { HardshellError } from '../../platform/errors.ts';
import type { Spool } from '../../platform/tree/staging.ts';
import {
  bytesOf,
  damaged,
  type Entry,
  type FileEntry,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type Manifest,
  readManifest,
} from './manifest.ts';

export type Chunks = AsyncIterable<Uint8Array>;
type TarPart = {
  readonly header: { name: string; size: number; type?: string };
  readonly body: ReadableStream<Uint8Array>;
};

/** Deflate cannot do better; what is over it was made to burst. */
const MAX_RATIO = 1_000;
const HARMLESS_BYTES = 256 * 1024 * 1024;
const TAR_END_BYTES = 1_024;
const LEVEL = 4;

/** An empty gzip member with the hash of all before it as its comment: tar and gzip read over it. */
const SEAL_WORDS = 'hardshell-backup sha256=';
const SEAL_HEAD = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]);
const SEAL_TAIL = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const SEAL_BYTES = SEAL_HEAD.length + SEAL_WORDS.length + 64 + SEAL_TAIL.length;
const sealOf = (hash: string): Buffer => Buffer.concat([SEAL_HEAD, Buffer.from(SEAL_WORDS + hash), SEAL_TAIL]);

export type Payload = {
  folder(path: string, mode: number): Promise<void>;
  /** Exactly `bytes` of them: fewer are filled up with zeros, and what is over is left out. Says what was written. */
  file(
    path: string,
    facts: { bytes: number; mode: number; mtimeMs: number },
    chunks: Chunks,
  ): Promise<{ sha256: string; isShort: boolean }>;
  end(): Promise<void>;
};

/** Writes all entries but the manifest into the spool: only then their hashes are known. */
export async function openPayload(spool: Spool): Promise<Payload> {
  const { createTarPacker } = await import('modern-tar');
  const { readable, controller } = createTarPacker();
  const spooled = pipeline(
    Readable.fromWeb(readable as never),
    createGzip({ level: LEVEL }),
    async (chunks: Chunks) => {
      for await (const chunk of chunks) await spool.write(chunk);
    },
  );
  let failure: unknown;
  spooled.catch((error: unknown) => {
    failure = error;
    controller.error(error);
  });
  const whole = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw failure ?? error;
    }
  };
  return {
    folder: (path, mode) =>
      whole(() => controller.add({ name: `${path}/`, size: 0, type: 'directory', mode, mtime: new Date(0) }).close()),
    file: (path, { bytes, mode, mtimeMs }, chunks) =>
      whole(async () => {
        const writer = controller
          .add({ name: path, size: bytes, type: 'file', mode, mtime: new Date(mtimeMs) })
          .getWriter();
        const hash = createHash('sha256');
        let left = bytes;
        const put = async (chunk: Uint8Array): Promise<void> => {
          hash.update(chunk);
          left -= chunk.length;
          await writer.write(chunk);
        };
        for await (const chunk of chunks) {
          if (left === 0) break;
          await put(chunk.subarray(0, left));
        }
        const isShort = left > 0;
        while (left > 0) await put(new Uint8Array(Math.min(left, 65_536)));
        await writer.close();
        return { sha256: hash.digest('hex'), isShort };
      }),
    end: () =>
      whole(async () => {
        controller.finalize();
        await spooled;
      }),
  };
}

/** The whole file, before it is encrypted. */
export async function* sealed(manifestText: string, payload: Chunks): Chunks {
  const { packTar } = await import('modern-tar');
  const data = Buffer.from(manifestText);
  const first = await packTar([
    { header: { name: MANIFEST, size: data.length, type: 'file', mode: 0o600 }, body: data },
  ]);
  const hash = createHash('sha256');
  const head = gzipSync(first.subarray(0, first.length - TAR_END_BYTES), { level: LEVEL });
  hash.update(head);
  yield head;
  for await (const chunk of payload) {
    hash.update(chunk);
    yield chunk;
  }
  yield sealOf(hash.digest('hex'));
}

export function refuseBomb(bytes: number, archiveBytes: number): void {
  if (bytes < HARMLESS_BYTES || bytes < archiveBytes * MAX_RATIO) return;
  throw new HardshellError({
    code: 'BACKUP_BOMB',
    message: `${archiveBytes} bytes would become ${bytes}: no files of people shrink like that`,
    fix: 'find the file of endless zeros and remove it; a backup from somebody else is better thrown away',
  });
}

export type Reader = {
  /** First, and before anything is written; throws to refuse. */
  begin(manifest: Manifest): Promise<void>;
  folder(entry: Extract<Entry, { kind: 'folder' }>): Promise<void>;
  /** Reads all of it, or throws. */
  file(entry: FileEntry, chunks: Chunks): Promise<void>;
};

/** Every byte is checked: against the seal, the manifest, and the hash of its file. What was handed on counts only then. */
export async function readArchive(plain: Chunks, archiveBytes: number, reader: Reader): Promise<Manifest> {
  const { createTarDecoder } = await import('modern-tar');
  const limit = { bytes: MAX_MANIFEST_BYTES };
  const unpacked = inflated(unsealed(plain), limit);
  const parts = (Readable.toWeb(Readable.from(unpacked)) as ReadableStream<Uint8Array>).pipeThrough(
    createTarDecoder({ strict: true }) as never,
  ) as unknown as AsyncIterable<TarPart>;
  let manifest: Manifest | undefined;
  let expected: Exclude<Entry, { kind: 'link' }>[] = [];
  try {
    for await (const part of parts) {
      if (manifest === undefined) {
        manifest = readManifest(await manifestText(part));
        const bytes = bytesOf(manifest);
        refuseBomb(bytes, archiveBytes);
        expected = manifest.entries.filter((entry) => entry.kind !== 'link').reverse();
        // Headers, padding, long names; and nothing else.
        limit.bytes = MAX_MANIFEST_BYTES + bytes + manifest.entries.length * 8_192;
        await reader.begin(manifest);
        continue;
      }
      const entry = expected.pop();
      const { name, size, type } = part.header;
      if (entry === undefined)
        throw damaged(`it holds ${JSON.stringify(name.slice(0, 120))}, which its manifest does not name`);
      const isSame =
        entry.kind === 'folder'
          ? type === 'directory' && name === `${entry.path}/`
          : type === 'file' && name === entry.path && size === entry.bytes;
      if (!isSame)
        throw damaged(
          `it holds ${JSON.stringify(name.slice(0, 120))} where its manifest says ${JSON.stringify(entry.path.slice(0, 120))}`,
        );
      if (entry.kind === 'file') await reader.file(entry, checked(entry, part.body));
      else {
        await part.body.cancel();
        await reader.folder(entry);
      }
    }
  } catch (error) {
    throw error instanceof HardshellError ? error : damaged(reasonFor(error));
  }
  if (manifest === undefined) throw damaged('it holds nothing');
  if (expected.length > 0) throw damaged(`it lacks ${expected.length} files of its manifest`);
  return manifest;
}

async function manifestText({ header, body }: TarPart): Promise<string> {
  if (header.name !== MANIFEST || header.type !== 'file' || header.size > MAX_MANIFEST_BYTES)
    throw damaged('it does not begin with a manifest');
  const parts: Uint8Array[] = [];
  for await (const chunk of body as unknown as Chunks) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}

async function* checked(entry: FileEntry, body: ReadableStream<Uint8Array>): Chunks {
  const hash = createHash('sha256');
  for await (const chunk of body as unknown as Chunks) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== entry.sha256)
    throw damaged(`${JSON.stringify(entry.path.slice(0, 120))} is not what was put into it`);
}

/** Without the seal, which is held back and compared when all of the rest is through. */
async function* unsealed(chunks: Chunks): Chunks {
  const hash = createHash('sha256');
  let held = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    const free = held.subarray(0, Math.max(0, held.length - SEAL_BYTES));
    if (free.length === 0) continue;
    hash.update(free);
    held = Buffer.from(held.subarray(free.length));
    yield free;
  }
  if (!held.equals(sealOf(hash.digest('hex')))) throw damaged('it is cut off or was changed');
}

async function* inflated(chunks: Chunks, limit: { bytes: number }): Chunks {
  const source = Readable.from(chunks);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  let bytes = 0;
  try {
    for await (const chunk of source.pipe(gunzip)) {
      bytes += (chunk as Buffer).length;
      if (bytes > limit.bytes) throw damaged('there is more in it than its manifest says');
      yield chunk as Buffer;
    }
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

const reasonFor = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return `it is cut off or was changed (${text.slice(0, 80)})`;
};
