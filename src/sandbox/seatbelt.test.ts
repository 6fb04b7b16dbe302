// The text of the profile only: no Mac has run it here.
import { expect, test } from 'vitest';
import { profileOf, seatbeltDriver } from './seatbelt.ts';

const layout = { workspace: '/Users/ann/claw "x"', writable: true, fixedFiles: ['AGENTS.md'], binds: [] };

test('the profile denies by default, has no network, and writes nowhere but the workspace and its own temporary folder', () => {
  const lines = profileOf(layout, ['/Users/ann/claw "x"/.env']).split('\n');
  expect(lines.slice(0, 3)).toEqual(['(version 1)', '(deny default)', '(deny network*)']);
  expect(lines.filter((line) => line.startsWith('(allow file-write*'))).toEqual([
    '(allow file-write* (subpath "/Users/ann/claw \\"x\\"") (subpath "/private/tmp/hardshell-sandbox") (literal "/dev/null"))',
  ]);
  expect(lines.some((line) => line.startsWith('(allow network'))).toBe(false);
  expect(lines.join('\n')).not.toMatch(/\(subpath "\/(Users|private|var)?"\)|keychain|\(allow default\)/);
});

test('what is fixed or masked is denied after what allows the workspace, since the last rule wins', () => {
  const text = profileOf(layout, ['/Users/ann/claw "x"/.env']);
  const allowed = text.indexOf('(allow file-write*');
  expect(text.indexOf('(deny file-write* (literal "/Users/ann/claw \\"x\\"/AGENTS.md"))')).toBeGreaterThan(allowed);
  expect(text.indexOf('(deny file-read* file-write* (subpath "/Users/ann/claw \\"x\\"/.env"))')).toBeGreaterThan(
    allowed,
  );
});

test('a read-only workspace is in no rule that writes, and a path that could end a rule is refused', () => {
  expect(profileOf({ ...layout, writable: false }, [])).not.toMatch(/allow file-write\* \(subpath "\/Users/);
  expect(() => profileOf({ ...layout, workspace: '/a\n(allow default)' }, [])).toThrow(/cannot be named/);
});

test.skipIf(process.platform === 'darwin')('elsewhere it does not open, and says what does', async () => {
  expect(await seatbeltDriver().probe()).toMatchObject({ ok: false, reason: expect.stringContaining('macOS only') });
});
