// `security audit --fix`, `undo`, `suppress` and `checklist` as commands: what is printed, written, and the exit codes.
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/cli/main.ts';

const BAD = `// mine
{
  gateway: { bind: "lan" },
  channels: { telegram: { botToken: "123456789:AAF-x7Q2_kLm3nOpQrStUvWxYz012345678", dmPolicy: "open" } }, // for the party
}
`;
let home = '';
let path = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fix-flow-'));
  path = join(home, '.openclaw', 'openclaw.json');
  mkdirSync(join(home, '.openclaw'), { mode: 0o755 });
  writeFileSync(path, BAD, { mode: 0o644 });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function security(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = { out: '', err: '' };
  stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  stderr.on('data', (chunk) => {
    said.err += chunk;
  });
  const env = { HOME: home, OPENCLAW_HOME: home, PATH: process.env['PATH'] ?? '' };
  const code = await run(['security', ...words], env, { stdin: Readable.from([]), stdout, stderr });
  return { code, ...said };
}
const mode = (): number => lstatSync(path).mode & 0o777;

test('S258 S259 S260 --fix shows, mends, and leaves what is yours with its command; undo takes all of it back', async () => {
  const shown = await security('audit', '--fix', '--dry-run');
  expect(shown.out).toContain('nothing was written: --dry-run');
  expect([readFileSync(path, 'utf8'), mode()]).toEqual([BAD, 0o644]);
  const { code, out } = await security('audit', '--fix');
  expect(out).toMatch(/-.*dmPolicy: "open".*\n.*\+.*dmPolicy: "pairing"/);
  expect(out).not.toContain('AAF-x7Q2');
  expect(out).toContain('fix: openclaw config set gateway.bind loopback');
  expect([code, mode()]).toEqual([2, 0o600]);
  expect(readFileSync(path, 'utf8')).toBe(BAD.replace('"open"', '"pairing"'));
  expect((await security('audit', '--fix')).out).toContain('nothing to mend that can be mended without you');
  const talk = await security('audit', '--only', 'talk', '--min-severity', 'critical');
  expect(talk.code).toBe(0);
  expect((await security('undo')).code).toBe(0);
  expect([readFileSync(path, 'utf8'), mode()]).toEqual([BAD, 0o644]);
  expect((await security('undo')).err).toContain('no --fix is there to be undone');
});

test('--fix --json is one value, with what remains', async () => {
  const { out } = await security('audit', '--fix', '--json');
  const report = JSON.parse(out);
  const ids = report.findings.map(({ checkId }: { checkId: string }) => checkId);
  expect(ids).toContain('gateway.bind_network_accessible');
  expect(ids).not.toContain('channels.dm.open');
});

test('suppress takes an id, a day and a reason, and gives back the file as it was', async () => {
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const id = 'browser.enabled';
  const good = '{ browser: { enabled: true } } // for the news\n';
  writeFileSync(path, good);
  expect((await security('suppress', id, '--until', until)).code).toBe(64);
  expect((await security('suppress', id, '--until', '2099-01-01', '--why', 'x')).err).toContain('90 days');
  expect((await security('suppress', 'browser.enable', '--until', until, '--why', 'x')).err).toContain(
    'there is no check',
  );
  expect((await security('suppress', id, '--until', until, '--why', 'behind a wall')).code).toBe(0);
  expect((await security('suppress', '--list')).out).toContain(`until ${until}  ${id}  behind a wall`);
  const { code, out } = await security('audit', '--only', id, '--quiet');
  expect([code, out]).toEqual([0, expect.stringContaining(`suppressed until ${until}: ${id}`)]);
  expect((await security('suppress', id, '--remove')).code).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe(good);
});

test('S280 checklist ticks what is green, opens what is not, and hands over what nobody can see from here', async () => {
  const { code, out } = await security('checklist', '--guide', '004', '--tier', '1');
  expect(code).toBe(1);
  expect(out).toMatch(
    /\[ \] The gateway listens on 127\.0\.0\.1\n.*lan.*\n +fix: openclaw config set gateway\.bind loopback/,
  );
  expect(out).toMatch(/\[x\] In groups it has fewer tools/);
  expect(out).toMatch(/\[\?\] There is no skill that you do not use\n +yours to check: openclaw skills list/);
  const { boxes } = JSON.parse((await security('checklist', '--guide', '001', '--json')).out).data;
  expect(boxes).toHaveLength(13);
  expect((await security('checklist', '--guide', '007')).code).toBe(64);
});
