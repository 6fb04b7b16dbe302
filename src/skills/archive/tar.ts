// Owns reading a tar archive whose maker nobody knows: plain files and folders, nothing else. Links, devices, sparse files
// and whatever two readers could understand differently refuse the whole.
import { gunzipSync } from 'node:zlib';
import { MAX_BYTES, type SkillFile } from '../content.ts';
import { collect, entryName, refused } from './entries.ts';

const BLOCK = 512;
/** Headers, and what fills the blocks. */
const MAX_TAR_BYTES = MAX_BYTES + 2_000_000;

export function unzipped(data: Buffer): Buffer {
  try {
    return gunzipSync(data, { maxOutputLength: MAX_TAR_BYTES });
  } catch {
    throw refused('the archive', `it is damaged, or would be larger than ${MAX_TAR_BYTES} bytes`);
  }
}

export function readTar(data: Buffer): readonly SkillFile[] {
  const sink = collect();
  let next: { path?: string; size?: number } = {};
  let at = 0;
  for (;;) {
    if (at + BLOCK > data.length) throw refused('the archive', 'it ends in the middle');
    const header = data.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const name = next.path ?? shortName(header);
    const size = next.size ?? octal(header.subarray(124, 136), name);
    const body = data.subarray(at + BLOCK, at + BLOCK + size);
    if (body.length < size) throw refused(name, 'the archive ends in the middle of it');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x' || type === 'g') {
      const fields = paxFields(body, name);
      if (type === 'x') next = fields;
      else if (fields.path !== undefined || fields.size !== undefined) throw refused(name, 'it renames what follows');
      continue;
    }
    if (type === 'L') {
      next = { path: body.toString('utf8').replace(/\0+$/, '') };
      continue;
    }
    next = {};
    if (type === '5') {
      entryName(name.endsWith('/') ? name : `${name}/`);
      continue;
    }
    if (type !== '0' && type !== '\0') throw refused(name, KINDS[type] ?? 'it is of a kind that no skill needs');
    const path = entryName(name);
    if (path === null) throw refused(name, 'a file without a name');
    sink.expect(path, size);
    sink.take({ path, data: Buffer.from(body), isExecutable: (octal(header.subarray(100, 108), name) & 0o111) !== 0 });
  }
  return sink.done();
}

const KINDS: Readonly<Record<string, string>> = {
  1: 'it is a hard link',
  2: 'it is a link',
  3: 'it is a device',
  4: 'it is a device',
  6: 'it is a pipe',
  S: 'it is a sparse file',
};

const text = (field: Buffer): string => field.toString('utf8').replace(/\0[\s\S]*$/, '');

function shortName(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(header.subarray(345, 500)) : '';
  return prefix === '' || header.toString('latin1', 257, 265) === 'ustar  \0' ? name : `${prefix}/${name}`;
}

function octal(field: Buffer, name: string): number {
  const digits = text(field).trim();
  if (!/^[0-7]{0,12}$/.test(digits)) throw refused(name, 'a number in its header is none');
  return Number.parseInt(digits || '0', 8);
}

function checkSum(header: Buffer): void {
  let sum = 8 * 32;
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
  if (octal(header.subarray(148, 156), 'the archive') !== sum) throw refused('the archive', 'it is damaged, or no tar');
}

function paxFields(body: Buffer, name: string): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length < 4 || at + length > body.length)
      throw refused(name, 'its header is damaged');
    const record = body.toString('utf8', space + 1, at + length - 1);
    const [key, value] = [record.slice(0, record.indexOf('=')), record.slice(record.indexOf('=') + 1)];
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    if (key === 'linkpath' || key.startsWith('GNU.sparse')) throw refused(name, 'it is a link or a sparse file');
    at += length;
  }
  if (found.size !== undefined && !Number.isSafeInteger(found.size))
    throw refused(name, 'a number in its header is none');
  return found;
}
