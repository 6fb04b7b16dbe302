// Archives as attackers make them: each refuses the whole, with one clear line. The good ones beside them are made by the
// programs that everybody has.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HardshellError } from '../../platform/errors.ts';
import { withoutTop } from './entries.ts';
import { readTar, unzipped } from './tar.ts';
import { readZip } from './zip.ts';

type TarEntry = {
  readonly name: string;
  readonly type?: string;
  readonly data?: string;
  readonly link?: string;
  readonly size?: number;
};

function tar(...entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, type = '0', data = '', link = '', size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write(`${(size ?? Buffer.byteLength(data)).toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write(link, 157);
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(data) / 512) * 512);
    body.write(data);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}

type ZipEntry = {
  readonly name: string;
  readonly data?: Buffer;
  readonly mode?: number;
  readonly listed?: string;
  readonly flags?: number;
  readonly size?: number;
  readonly at?: number;
  readonly method?: number;
  /** it stands in the content of another one */
  readonly isInside?: true;
};

function zip(...entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let offset = 0;
  for (const {
    name,
    data = Buffer.from('x'),
    mode = 0o100644,
    listed = name,
    flags = 0,
    size,
    at,
    method = 8,
    isInside,
  } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : data;
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(flags, 6);
    head.writeUInt16LE(method, 8);
    head.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt8(3, 5);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(size ?? data.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(listed), 28);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(at ?? offset, 42);
    if (!isInside) parts.push(head, Buffer.from(name), packed);
    list.push(entry, Buffer.from(listed));
    if (!isInside) offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const listBytes = list.reduce((sum, one) => sum + one.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listBytes, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...list, end]);
}

/** One file stands in the content of the other: both can be read, and a thousand of them would be a bomb. */
function overlapping(): Buffer {
  const inner = { name: 'a/in', data: Buffer.from('y'), method: 0 };
  const whole = zip(inner);
  const data = whole.subarray(0, 30 + inner.name.length + inner.data.length);
  return zip({ name: 'a/out', data, method: 0 }, { ...inner, at: 30 + 'a/out'.length, isInside: true });
}

const HEAD: TarEntry = { name: 'a/SKILL.md', data: 'x' };
const ZIPPED: ZipEntry = { name: 'a/SKILL.md' };
const big = Buffer.alloc(3_900_000);

const HOSTILE: readonly (readonly [what: string, made: () => unknown, says: RegExp])[] = [
  ['J01 tar: a path that climbs', () => readTar(tar(HEAD, { name: 'a/../../x' })), /leads elsewhere/],
  ['J02 tar: an absolute path', () => readTar(tar(HEAD, { name: '/etc/x' })), /absolute/],
  ['J03 tar: a link', () => readTar(tar(HEAD, { name: 'a/l', type: '2', link: '/etc' })), /it is a link/],
  [
    'J03 tar: a file behind a link',
    () => readTar(tar({ name: 'a/l', type: '2', link: '/tmp' }, { name: 'a/l/x' })),
    /it is a link/,
  ],
  ['J03 tar: a hard link', () => readTar(tar(HEAD, { name: 'a/h', type: '1', link: '/etc/passwd' })), /hard link/],
  ['tar: a device', () => readTar(tar(HEAD, { name: 'a/d', type: '3' })), /device/],
  ['tar: a pipe', () => readTar(tar(HEAD, { name: 'a/p', type: '6' })), /pipe/],
  ['tar: a file twice', () => readTar(tar(HEAD, HEAD)), /twice/],
  ['tar: a file in another case', () => readTar(tar(HEAD, { name: 'a/skill.MD' })), /letter case/],
  ['tar: a folder in another case', () => readTar(tar({ name: 'a/x/1' }, { name: 'a/X/2' })), /letter case/],
  ['tar: a file that is a folder too', () => readTar(tar({ name: 'a/x' }, { name: 'a/x/y' })), /letter case|twice/],
  ['tar: a name for git', () => readTar(tar(HEAD, { name: 'a/.git/hooks/post-checkout' })), /git/],
  ['tar: a name with a backslash', () => readTar(tar(HEAD, { name: 'a\\..\\x' })), /not seen|otherwise/],
  ['tar: a name that turns around', () => readTar(tar(HEAD, { name: 'a/x\u202egpj.sh' })), /not seen/],
  ['tar: a drive', () => readTar(tar(HEAD, { name: 'C:/x' })), /absolute/],
  [
    'tar: renamed by a header',
    () => readTar(tar(HEAD, { name: 'p', type: 'x', data: '17 path=../../x1\n' }, { name: 'a/y' })),
    /leads elsewhere/,
  ],
  [
    'tar: renamed for all',
    () => readTar(tar(HEAD, { name: 'g', type: 'g', data: '13 path=/etc\n' }, { name: 'a/y' })),
    /renames/,
  ],
  ['tar: larger than it is', () => readTar(tar({ name: 'a/x', size: 5_000 })), /middle/],
  [
    'tar: too many files',
    () => readTar(tar(...Array.from({ length: 501 }, (_, at) => ({ name: `a/${at}` })))),
    /more than 500/,
  ],
  ['tar: without an end', () => readTar(tar(HEAD).subarray(0, 1_024)), /middle/],
  ['J05 gzip: a bomb', () => unzipped(gzipSync(Buffer.alloc(60_000_000))), /larger than/],
  ['J04 zip: a path that climbs', () => readZip(zip(ZIPPED, { name: '../../x' })), /leads elsewhere/],
  ['J02 zip: an absolute path', () => readZip(zip(ZIPPED, { name: '/etc/x' })), /absolute/],
  ['J03 zip: a link', () => readZip(zip(ZIPPED, { name: 'a/l', mode: 0o120777 })), /it is a link/],
  ['zip: a device', () => readZip(zip(ZIPPED, { name: 'a/d', mode: 0o020644 })), /no file/],
  ['zip: locked', () => readZip(zip(ZIPPED, { name: 'a/x', flags: 1 })), /password/],
  ['zip: two names for one file', () => readZip(zip(ZIPPED, { name: 'a/x', listed: 'a/y' })), /two names/],
  ['zip: a file twice', () => readZip(zip(ZIPPED, ZIPPED)), /twice/],
  ['zip: overlapping files', () => readZip(overlapping()), /overlap/],
  [
    'zip: larger than it says',
    () => readZip(zip({ name: 'a/x', data: Buffer.alloc(9_000), size: 10 })),
    /larger than it says/,
  ],
  ['zip: packed otherwise', () => readZip(zip({ name: 'a/x', method: 12 })), /not known/],
  [
    'J05 zip: a bomb of many',
    () => readZip(zip(...Array.from({ length: 6 }, (_, at) => ({ name: `a/${at}`, data: big })))),
    /together/,
  ],
  ['zip: a list that is cut', () => readZip(zip(ZIPPED).subarray(0, -30)), /damaged|no ZIP/],
];

test.each(HOSTILE)('refused: %s', (_what, made, says) => {
  expect(made).toThrow(HardshellError);
  expect(made).toThrow(says);
});

test('what tar, gzip and zip make of an honest folder is read as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  try {
    mkdirSync(join(folder, 'weather', 'scripts'), { recursive: true });
    writeFileSync(join(folder, 'weather', 'SKILL.md'), 'head\n');
    const long = 'n'.repeat(120);
    writeFileSync(join(folder, 'weather', 'scripts', `${long}.sh`), 'echo\n', { mode: 0o755 });
    const run = (...argv: [string, ...string[]]): unknown => execFileSync(argv[0], argv.slice(1), { cwd: folder });
    run('tar', '-cf', 'gnu.tar', 'weather');
    run('tar', '--format=pax', '-czf', 'pax.tgz', './weather');
    run('zip', '-qr', 'a.zip', 'weather');
    const read = (name: string): Buffer => readFileSync(join(folder, name));
    for (const files of [readTar(read('gnu.tar')), readTar(unzipped(read('pax.tgz'))), readZip(read('a.zip'))])
      expect(
        withoutTop(files)
          .map((one) => [one.path, one.data.toString(), one.isExecutable])
          .sort(),
      ).toEqual([
        ['SKILL.md', 'head\n', false],
        [`scripts/${long}.sh`, 'echo\n', true],
      ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('cut or changed anywhere, an archive is read as it was or refused in words, and never anything else', () => {
  const good = [
    tar(HEAD, { name: 'a/x.sh', data: 'echo hello\n' }),
    zip(ZIPPED, { name: 'a/x.sh', data: Buffer.from('echo hello\n') }),
  ];
  fc.assert(
    fc.property(fc.constantFrom(0, 1), fc.nat(), fc.nat(255), fc.boolean(), (which, at, value, isCut) => {
      const data = Buffer.from(good[which] ?? Buffer.alloc(0));
      const place = at % data.length;
      const hurt = isCut ? data.subarray(0, place) : data;
      if (!isCut) hurt[place] = value;
      try {
        for (const { path } of which === 0 ? readTar(hurt) : readZip(hurt))
          expect(path).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/);
      } catch (error) {
        expect(error).toBeInstanceOf(HardshellError);
      }
    }),
    { numRuns: 4_000 },
  );
});
