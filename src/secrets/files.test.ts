// credentials/<name> on a real disk: modes, owners, links, and the ways the guides leave the folder in.
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import {
  listSecrets,
  problemAt,
  problemOfFolder,
  quoted,
  removeSecret,
  rotateSecret,
  tryReadPrivate,
  tryReadSecret,
  tryReadSecretAt,
  writeSecret,
} from './files.ts';

let folder = '';
let dir = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-secrets-'));
  dir = join(folder, 'credentials');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const VALUE = 'value-that-no-error-may-repeat';
const isRoot = process.geteuid?.() === 0;
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const errorOf = (run: () => unknown): HardshellError => {
  try {
    run();
  } catch (error) {
    if (error instanceof HardshellError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};
/** As the guides write it: by a shell. */
const plant = (name: string, mode: number, text = `${VALUE}\n`): string => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), mode);
  return join(dir, name);
};

test('S206 one secret a file, 0600 in 0700 whatever the umask, and it comes back as it went in', () => {
  const before = process.umask(0);
  try {
    writeSecret(dir, 'anthropic-key', VALUE);
  } finally {
    process.umask(before);
  }
  expect(modeOf(dir)).toBe(0o700);
  expect(modeOf(join(dir, 'anthropic-key'))).toBe(0o600);
  expect(tryReadSecret(dir, 'anthropic-key')).toBe(VALUE);
  expect(tryReadSecret(dir, 'other')).toBeNull();
});

test('any text goes in and comes out the same, line feeds at its end included', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).filter((one) => /[^\s\0]/.test(one));
  fc.assert(
    fc.property(text, fc.constantFrom('', '\n', '\r\n', '\n\n'), (value, end) => {
      fc.pre((value + end).trim() !== '' && (value + end).isWellFormed() && !(value + end).includes('\0'));
      writeSecret(dir, 'any', value + end);
      expect(tryReadSecret(dir, 'any')).toBe(value + end);
    }),
    { numRuns: 60 },
  );
});

test.each([
  [0o644, 'read'],
  [0o640, 'read'],
  [0o604, 'read'],
  [0o666, 'changed'],
  [0o620, 'changed'],
  [0o777, 'changed'],
])('K08 a secret with mode %o is refused with the chmod line and exit 78', (mode, verb) => {
  const path = plant('telegram', mode);
  const error = errorOf(() => tryReadSecret(dir, 'telegram'));
  expect(error).toMatchObject({ code: 'SECRET_TOO_OPEN', exitCode: 78, fix: `chmod 600 ${path}` });
  expect(error.message).toBe(`${path} can be ${verb} by others on this machine (mode 0${mode.toString(8)})`);
  expect(`${error.message}${error.fix}${error.stack}`).not.toContain(VALUE);
  chmodSync(path, 0o600);
  expect(tryReadSecret(dir, 'telegram')).toBe(VALUE);
});

test('what is wider becomes 0600 when it is written again', () => {
  plant('telegram', 0o644);
  writeSecret(dir, 'telegram', 'new-value-of-it');
  expect(modeOf(join(dir, 'telegram'))).toBe(0o600);
});

test.runIf(isRoot)('K08 a file or folder of another user is refused, and says whose it is', () => {
  const path = plant('telegram', 0o600);
  chownSync(path, 65_534, 65_534);
  expect(errorOf(() => tryReadSecret(dir, 'telegram'))).toMatchObject({
    code: 'SECRET_WRONG_OWNER',
    exitCode: 78,
    message: expect.stringContaining('uid 65534'),
  });
  chownSync(path, 0, 0);
  chownSync(dir, 65_534, 65_534);
  expect(errorOf(() => tryReadSecret(dir, 'telegram')).code).toBe('SECRET_WRONG_OWNER');
  expect(errorOf(() => writeSecret(dir, 'telegram', 'x'.repeat(20))).code).toBe('SECRET_WRONG_OWNER');
});

test('a link in the place of a secret or of the folder is refused and never followed', () => {
  plant('real', 0o600);
  symlinkSync('real', join(dir, 'alias'));
  expect(errorOf(() => tryReadSecret(dir, 'alias'))).toMatchObject({ code: 'SECRET_IS_LINK', exitCode: 78 });
  const elsewhere = join(folder, 'elsewhere');
  renameSync(dir, elsewhere);
  symlinkSync(elsewhere, dir);
  expect(errorOf(() => tryReadSecret(dir, 'real')).code).toBe('SECRET_IS_LINK');
  expect(errorOf(() => writeSecret(dir, 'new', VALUE)).code).toBe('SECRET_IS_LINK');
  expect(existsSync(join(elsewhere, 'new'))).toBe(false);
});

test('S066 a folder that somebody gave 0600 is repaired to 0700 by the next read or write', () => {
  writeSecret(dir, 'telegram', VALUE);
  for (const act of [() => tryReadSecret(dir, 'telegram'), () => writeSecret(dir, 'telegram', VALUE)]) {
    chmodSync(dir, 0o600);
    expect(problemOfFolder(dir)).toMatchObject({ mends: true, error: { fix: `chmod 700 ${dir}` } });
    act();
    expect(modeOf(dir)).toBe(0o700);
  }
  chmodSync(dir, 0o755);
  expect(tryReadSecret(dir, 'telegram')).toBe(VALUE);
  expect(modeOf(dir)).toBe(0o700);
  expect(problemOfFolder(dir)).toBeNull();
});

test('a folder into which others can put files is refused, since what lies in it may be theirs', () => {
  writeSecret(dir, 'telegram', VALUE);
  chmodSync(dir, 0o777);
  const error = errorOf(() => tryReadSecret(dir, 'telegram'));
  expect(error).toMatchObject({ code: 'SECRET_TOO_OPEN', fix: `chmod 700 ${dir}` });
  expect(modeOf(dir)).toBe(0o777);
});

test('S058 credentials as a file, as one guide has it, is said clearly and left as it is', () => {
  writeFileSync(dir, `ANTHROPIC_API_KEY=${VALUE}\n`, { mode: 0o600 });
  for (const act of [() => tryReadSecret(dir, 'a'), () => writeSecret(dir, 'a', VALUE), () => listSecrets(dir)]) {
    const error = errorOf(act);
    expect(error).toMatchObject({ code: 'CREDENTIALS_NOT_A_FOLDER', exitCode: 78 });
    expect(error.message).toContain('is a file, and secrets lie in a folder');
    expect(error.fix).toContain(`mkdir -m 700 ${dir}`);
  }
  expect(readFileSync(dir, 'utf8')).toContain(VALUE);
});

test('neither folders, pipes nor binary files are secrets', () => {
  mkdirSync(join(dir, 'sub'), { recursive: true, mode: 0o700 });
  expect(() => tryReadSecret(dir, 'sub')).toThrow(/not a regular file|is a folder/);
  plant('binary', 0o600, 'a\0b');
  expect(errorOf(() => tryReadSecret(dir, 'binary')).code).toBe('SECRET_NOT_TEXT');
  plant('huge', 0o600, 'x'.repeat(70_000));
  expect(errorOf(() => tryReadSecret(dir, 'huge')).code).toBe('FILE_TOO_BIG');
});

test.each(['', '.', '..', '../x', 'a/b', '.hidden', 'a\nb', 'a b', 'ü', `${'a'.repeat(101)}`, '-rf'])(
  'the name %j is refused by all that take one',
  (name) => {
    for (const act of [
      () => tryReadSecret(dir, name),
      () => writeSecret(dir, name, VALUE),
      () => removeSecret(dir, name),
    ])
      expect(errorOf(act)).toMatchObject({ code: 'SECRET_NAME', exitCode: 64 });
  },
);

test.each(['', ' \n', 'a\0b', 'x'.repeat(64 * 1024), '\uD800'])(
  'a value that cannot be kept is refused (%#)',
  (value) => {
    expect(errorOf(() => writeSecret(dir, 'x', value)).code).toBe('SECRET_VALUE');
    expect(existsSync(dir)).toBe(false);
  },
);

describe('listing and checks', () => {
  test('names, ages and problems without opening a file; folders of channels are not secrets', () => {
    writeSecret(dir, 'b', VALUE);
    plant('a', 0o644);
    symlinkSync('b', join(dir, 'c'));
    mkdirSync(join(dir, 'whatsapp'));
    const listed = listSecrets(dir);
    expect(listed.map((one) => [one.name, one.problem?.code ?? null])).toEqual([
      ['a', 'SECRET_TOO_OPEN'],
      ['b', null],
      ['c', 'SECRET_IS_LINK'],
    ]);
    expect(listed[1]?.modifiedAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(listSecrets(join(folder, 'none'))).toEqual([]);
  });
  test('a check changes nothing', () => {
    const path = plant('a', 0o644);
    chmodSync(dir, 0o755);
    expect(problemAt(path)?.code).toBe('SECRET_TOO_OPEN');
    expect(problemOfFolder(dir)?.error.code).toBe('FOLDER_MODE');
    expect([modeOf(path), modeOf(dir)]).toEqual([0o644, 0o755]);
  });
  test('rotating wants one that is there, and a new value', () => {
    expect(errorOf(() => rotateSecret(dir, 'b', VALUE)).code).toBe('SECRET_MISSING');
    writeSecret(dir, 'b', VALUE);
    expect(errorOf(() => rotateSecret(dir, 'b', VALUE)).code).toBe('SECRET_SAME');
    rotateSecret(dir, 'b', 'another-value');
    expect(tryReadSecret(dir, 'b')).toBe('another-value');
  });
  test('removing says whether there was one', () => {
    writeSecret(dir, 'b', VALUE);
    expect([removeSecret(dir, 'b'), removeSecret(dir, 'b')]).toEqual([true, false]);
  });
});

test.runIf(isRoot)('a file of root that its group may read passes only where systemd handed it over', () => {
  const path = plant('cred', 0o440);
  expect(tryReadSecretAt(path, { groupMayReadRoots: true })).toBe(VALUE);
  expect(errorOf(() => tryReadPrivate(path)).code).toBe('SECRET_TOO_OPEN');
  chmodSync(path, 0o444);
  expect(errorOf(() => tryReadSecretAt(path, { groupMayReadRoots: true })).code).toBe('SECRET_TOO_OPEN');
});

test('a hard link elsewhere changes nothing about the modes that count', () => {
  const path = plant('a', 0o600);
  linkSync(path, join(folder, 'second'));
  chmodSync(join(folder, 'second'), 0o644);
  expect(errorOf(() => tryReadSecret(dir, 'a')).code).toBe('SECRET_TOO_OPEN');
});

test('the mending line survives a shell', () => {
  expect(quoted('/a/b-c.d')).toBe('/a/b-c.d');
  expect(quoted("/a b/it's")).toBe(`'/a b/it'\\''s'`);
});
