// A real Chromium on pages that want out, do not end, are far too large or break it. Pages are served at 127.0.0.2, which
// only this test opens; what they must not reach listens at 127.0.0.1.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrowsing } from '../../../src/browsing/browsing.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { Ask } from '../../../src/net/browser/words.ts';
import { decide, type ToolCall } from '../../../src/policy/decide.ts';

const MEGABYTE = 'word '.repeat(200_000);
let pages: Server;
let inside: Server;
let stateDir: string;
let at: string;
let insidePort: number;
let reached: string[];
const records: { kind: string; body: Record<string, unknown> }[] = [];
let rebound = 0;
let settings = { enabled: true, headless: true, dangerouslyAllowPrivateNetwork: false };
let browsing: ReturnType<typeof createBrowsing>;

const never = (host: string): string =>
  `setInterval(() => { for (let n = 0; n < 9; n++) fetch('http://' + ${host} + ':' + location.port + '/never', ${'{ mode: "no-cors", keepalive: true }'}).catch(() => {}) }, 50)`;
/** What each does to the one that comes after it; the last two once somebody has pressed Go. */
const SPOILERS: Record<string, string> = {
  'is on its way somewhere else, always': `setInterval(() => location.href = '/spoiler?' + new URLSearchParams({ name: 'is on its way somewhere else, always', x: Math.random() }), 1)`,
  'never lets itself be left': 'onbeforeunload = () => { for (;;); }',
  'holds every way out open': never(`'h' + Math.floor(Math.random() * 500) + '.example'`),
  'has a window that sends it elsewhere': `function go() { const it = open('/plain'); setTimeout(() => it.eval("setInterval(() => { opener.location = '/elsewhere?' + Math.random() }, 2)"), 200); }`,
  'has windows that never end': `function go() { for (let n = 0; n < 5; n++) open('/loop?' + n); }`,
};

/** Each tries it in every way that a page has, and says at the end which of them gave anything. */
const tries = (target: string): string => `<!doctype html><title>trying</title><iframe src="${target}/frame"></iframe>
  <img src="${target}/img"><link rel="stylesheet" href="${target}/css"><script src="${target}/js"></script>
  <form id="f" action="${target}/form" method="post" target="other"><input name="a"></form><iframe name="other"></iframe>
  <script>
    const wait = (p) => Promise.race([p.then(() => 'got', () => 'no'), new Promise((r) => setTimeout(r, 2500, 'no'))]);
    const socket = (u) => new Promise((yes, no) => { const s = new WebSocket(u); s.onopen = yes; s.onerror = no; });
    f.submit(); window.open('${target}/popup'); navigator.sendBeacon('${target}/beacon', 'x'); new EventSource('${target}/events');
    const rtc = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${insidePort}' }] });
    rtc.createDataChannel('x'); const seen = []; rtc.onicecandidate = (e) => e.candidate && seen.push(e.candidate.candidate);
    rtc.createOffer().then((o) => rtc.setLocalDescription(o));
    Promise.all([wait(fetch('${target}/fetch', { mode: 'no-cors' }).then((r) => { if (r.status === 403) throw 0; })),
      wait(socket('${target.replace('http', 'ws')}/ws')), new Promise((r) => setTimeout(r, 1500))])
      .then(([a, b]) => { document.body.append('RESULT ' + b + ' ' + seen.filter((c) => / host | srflx /.test(c) && !/\\.local/.test(c)).length); });
  </script>`;

beforeAll(async () => {
  inside = createServer((request, response) => {
    reached.push(request.url ?? '');
    response.setHeader('access-control-allow-origin', '*').end('the secret of this machine');
  }).listen(0, '127.0.0.1');
  inside.on('upgrade', (request, socket) => {
    reached.push(`upgrade ${request.url}`);
    socket.destroy();
  });
  await once(inside, 'listening');
  insidePort = (inside.address() as AddressInfo).port;
  pages = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    response.setHeader('content-type', 'text/html');
    if (url.pathname === '/try') return response.end(tries(url.searchParams.get('to') ?? ''));
    if (url.pathname === '/go') return response.writeHead(302, { location: url.searchParams.get('to') ?? '' }).end();
    if (url.pathname === '/endless') return response.write('<title>on and on</title><p>begin</p>');
    if (url.pathname === '/huge') {
      response.write('<title>huge</title><p>');
      for (let n = 0; n < 50; n++) response.write(MEGABYTE);
      return response.end('</p>');
    }
    if (url.pathname === '/bomb') {
      response.setHeader('content-type', 'application/octet-stream');
      const more = (): void => {
        while (!response.destroyed && response.write(MEGABYTE));
        if (!response.destroyed) response.once('drain', more);
      };
      return more();
    }
    if (url.pathname === '/never') return;
    if (url.pathname === '/spoiler')
      return response.end(
        `<title>spoiler</title><button onclick="go()">Go</button><script>${SPOILERS[url.searchParams.get('name') ?? '']}</script>`,
      );
    if (url.pathname === '/loop') return response.end('<title>loop</title><p>x</p><script>for (;;);</script>');
    if (url.pathname === '/windows')
      return response.end(`<title>windows</title><button onclick="x()">Go</button><script>
        function x() { for (let n = 0; n < 40; n++) open('/plain?' + n); alert('give me your code'); confirm('sure?'); prompt('code?'); }
        onbeforeunload = () => 'stay';</script>`);
    return response.end('<title>plain</title><h1>A plain page</h1>');
  }).listen(0, '127.0.0.2');
  await once(pages, 'listening');
  at = `http://page.example:${(pages.address() as AddressInfo).port}`;
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-browser-'));
  const names: Record<string, () => string> = {
    'page.example': () => '127.0.0.2',
    'inside.example': () => '127.0.0.1',
    'meta.example': () => '169.254.169.254',
    // First where it may be, then where it must not be.
    'rebind.example': () => (rebound++ === 0 ? '127.0.0.2' : '127.0.0.1'),
  };
  browsing = createBrowsing({
    stateDir,
    env: {},
    ownPorts: () => [18_789],
    dangerously: {
      resolve: async (host) => [names[host]?.() ?? (/^h\d+\.example$/.test(host) ? '127.0.0.2' : host)],
      isAllowed: (address) => address === '127.0.0.2',
    },
    config: () => ({ browser: settings, tools: { web: { fetch: { blockedHosts: [] } } } }) as unknown as Config,
    warn: () => {},
  });
  browsing.recordWith(((kind: string, body: Record<string, unknown>) => records.push({ kind, body })) as never);
});
afterAll(async () => {
  await browsing.close();
  for (const one of [pages, inside]) {
    one.closeAllConnections();
    one.close();
  }
  rmSync(stateDir, { recursive: true, force: true });
  expect(chromiums()).toEqual([]);
  expect(artifacts()).toEqual(artifactsBefore);
});
/** What the driver's library would leave in /tmp. */
const artifacts = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('playwright'));
const artifactsBefore = artifacts();

const permitted = (() => {
  const made = decide({ name: 'browser', args: {} } as unknown as ToolCall, [], []);
  if (made.kind !== 'allow') throw new Error('nobody objected');
  return made.call;
})();
const ask = <A extends Ask>(question: A) => browsing.act(permitted, question);
const PLAIN = (name: string) => ({ url: `${at}/${name}`, text: expect.stringContaining('A plain page') });
/** The browser itself, and none of its parts. */
const chromiums = (): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      const [program = '', ...rest] = /^\d+$/.test(pid)
        ? readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
        : [];
      const isOurs = /chrom/.test(program) && rest.includes('--user-data-dir=/workspace/profile');
      return isOurs && !rest.some((one) => one.startsWith('--type=')) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });

test.each([
  ['the address of this machine', () => `http://127.0.0.1:${insidePort}`],
  ['its name', () => `http://localhost:${insidePort}`],
  ['a name that leads to it', () => `http://inside.example:${insidePort}`],
  ['another spelling of it', () => `http://2130706433:${insidePort}`],
  ['its address of IPv6', () => `http://[::1]:${insidePort}`],
  ['its address in IPv6', () => `http://[::ffff:127.0.0.1]:${insidePort}`],
  ['what a cloud tells', () => 'http://169.254.169.254'],
  ['a name of that', () => 'http://meta.example'],
  ['the router', () => 'http://192.168.1.1'],
  ['the port of the gateway', () => 'http://page.example:18789'],
])(
  'H11 a page reaches %s by nothing that it has',
  async (_name, target) => {
    reached = [];
    await ask({ op: 'open', url: `${at}/try?to=${encodeURIComponent(target())}` });
    await expect
      .poll(async () => (await ask({ op: 'snapshot', from: 0 })).text, { timeout: 10_000 })
      .toContain('RESULT');
    const { text } = await ask({ op: 'snapshot', from: 0 });
    expect(text).toContain('RESULT no 0');
    expect(text).not.toContain('the secret of this machine');
    expect(reached).toEqual([]);
  },
  60_000,
);

test('H11 neither does a redirect, an address that changes its mind, or the file system', async () => {
  reached = [];
  const to = encodeURIComponent(`http://127.0.0.1:${insidePort}/redirected`);
  expect((await ask({ op: 'open', url: `${at}/go?to=${to}` })).text).not.toContain('secret');
  const port = new URL(at).port;
  await ask({
    op: 'open',
    url: `http://rebind.example:${port}/try?to=${encodeURIComponent(`http://rebind.example:${insidePort}`)}`,
  });
  await expect(ask({ op: 'download', url: `http://inside.example:${insidePort}/file` })).rejects.toThrow(
    /NOT_DOWNLOADED|not handed out|refused/,
  );
  const file = await ask({ op: 'open', url: `${at}/go?to=${encodeURIComponent('file:///etc/passwd')}` }).catch(String);
  expect(JSON.stringify(file)).not.toContain('root:');
  expect(reached).toEqual([]);
  const refused = records.filter(({ kind, body }) => kind === 'browser.request' && body['refused'] !== null);
  expect(refused.length).toBeGreaterThan(0);
}, 90_000);

test('a page that does not end, one of 50 MB and a download without an end are bounded', async () => {
  const endless = await ask({ op: 'open', url: `${at}/endless` });
  expect([endless.text, endless.notes]).toEqual([expect.stringContaining('begin'), ['the page was still loading']]);
  // With the memory that its box has, it is either cut, or its tab breaks; both are said, and nothing of it is left.
  const huge = await ask({ op: 'open', url: `${at}/huge` }).catch((error: Error) => error);
  if (huge instanceof Error) {
    expect(huge.message).toMatch(/^the page (broke, or closed its tab; the tab|does not answer any more; its tab)/);
    await expect(ask({ op: 'snapshot', from: 0 })).rejects.toThrow('no page is open');
  } else {
    expect([huge.url, huge.text.length, huge.chars]).toEqual([`${at}/huge`, 20_000, 200_000]);
    expect(huge.notes.join()).toContain('too large');
  }
  await expect(ask({ op: 'download', url: `${at}/bomb` })).rejects.toThrow(/larger than|not handed out/);
  expect((await ask({ op: 'open', url: `${at}/plain` })).text).toContain('A plain page');
}, 120_000);

test('a page that stops answering is closed, and the next one opens', async () => {
  await expect(ask({ op: 'open', url: `${at}/loop` })).rejects.toThrow('does not answer');
  expect((await ask({ op: 'open', url: `${at}/plain` })).text).toContain('A plain page');
}, 120_000);

test('windows that ask, tabs by the dozen and a page that will not be left are dealt with', async () => {
  await ask({ op: 'open', url: `${at}/windows` });
  const { text } = await ask({ op: 'snapshot', from: 0 });
  const ref = /button "Go" \[ref=(\w+)\]/.exec(text)?.[1] ?? '';
  const facts = await browsing.look(ref, false);
  expect(facts).toMatchObject({ kind: 'press', element: 'Go', page: `${at}/windows` });
  const after = await ask({ op: 'click', ref, facts });
  expect(after.notes.join('\n')).toContain('give me your code');
  expect((await ask({ op: 'tabs', tab: 0 })).length).toBeLessThanOrEqual(6);
  await expect(ask({ op: 'click', ref, facts: { ...facts, element: 'Stop' } })).rejects.toThrow('not what it was');
  await ask({ op: 'tabs', tab: 1 });
  expect((await ask({ op: 'open', url: `${at}/plain` })).text).toContain('A plain page');
}, 60_000);

test('an address that was not opened does not spoil the next page', async () => {
  const refused = `${at}/go?to=${encodeURIComponent('file:///etc/passwd')}`;
  for (let round = 0; round < 5; round++) {
    await ask({ op: 'open', url: `${at}/plain` });
    await expect(ask({ op: 'open', url: refused })).rejects.toThrow('ERR_UNSAFE_REDIRECT');
    for (const name of ['one', 'two'])
      expect(await ask({ op: 'open', url: `${at}/${name}` })).toMatchObject(PLAIN(name));
  }
}, 120_000);

test.each(Object.keys(SPOILERS))(
  'a page that %s does not spoil the next one',
  async (name) => {
    const spoiler = await ask({ op: 'open', url: `${at}/spoiler?${new URLSearchParams({ name })}` }).catch(
      ({ message }: Error) => {
        // Never what a library says to those who program it.
        expect(message).not.toMatch(/^\w+\.\w+: /);
        return null;
      },
    );
    const ref = /button "Go" \[ref=(\w+)\]/.exec(spoiler?.text ?? '')?.[1];
    if (name.startsWith('has ') && ref !== undefined)
      await ask({ op: 'click', ref, facts: await browsing.look(ref, false) }).catch(() => {});
    for (const next of ['one', 'two'])
      expect(await ask({ op: 'open', url: `${at}/${next}` })).toMatchObject(PLAIN(next));
  },
  120_000,
);

test('when Chromium ends under a page, the next one opens in a new one, which is said', async () => {
  await ask({ op: 'open', url: `${at}/plain` });
  const [pid = 0] = chromiums();
  process.kill(pid, 'SIGKILL');
  const { text, notes } = await ask({ op: 'open', url: `${at}/plain` });
  expect(text).toContain('A plain page');
  expect(notes.join()).toMatch(/Chromium ended .*a new one was started/);
  expect(chromiums()).not.toContain(pid);
}, 60_000);

test('when Chromium is killed the call says so, and the next page gets a new one in the same profile', async () => {
  const [pid = 0] = chromiums();
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => records.at(-1)?.kind, { timeout: 10_000 }).toBe('browser.ended');
  await expect(ask({ op: 'snapshot', from: 0 })).rejects.toThrow(/no page is open/);
  expect((await ask({ op: 'open', url: `${at}/plain` })).text).toContain('A plain page');
  const walls = records.filter(({ kind }) => kind === 'browser.started').map(({ body }) => body['walls']);
  expect(new Set(walls)).toEqual(new Set(['bubblewrap']));
  expect(walls.length).toBeGreaterThan(1);
}, 60_000);

test('it has both walls, no port that anybody could dial, and nothing of this machine to show', () => {
  const [pid = 0] = chromiums();
  const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  expect(line).not.toContain('no-sandbox');
  expect(line).not.toContain('remote-debugging-port');
  const listening = readFileSync(`/proc/${pid}/net/tcp`, 'latin1')
    .split('\n')
    .filter((one) => / 0A /.test(one));
  expect(listening).toEqual([expect.stringContaining('0100007F:0C38')]);
  expect(spawnSync('ls', [`/proc/${pid}/root/`], { encoding: 'utf8' }).stdout).not.toMatch(/home|root|var/);
});

test('switched off it ends at once and opens nothing; a profile that is a link is refused', async () => {
  settings = { ...settings, enabled: false };
  browsing.apply();
  await expect.poll(chromiums, { timeout: 10_000 }).toEqual([]);
  await expect(ask({ op: 'open', url: `${at}/plain` })).rejects.toThrow('browser.enabled is false');
  settings = { ...settings, enabled: true };
  const other = mkdtempSync(join(tmpdir(), 'hardshell-other-'));
  mkdirSync(join(other, 'Default'));
  writeFileSync(join(other, 'Default', 'Cookies'), 'mine');
  rmSync(join(stateDir, 'browser'), { recursive: true });
  symlinkSync(other, join(stateDir, 'browser'));
  await expect(ask({ op: 'open', url: `${at}/plain` })).rejects.toThrow('no folder of its own');
  expect(readdirSync(other)).toEqual(['Default']);
  rmSync(join(stateDir, 'browser'));
  rmSync(other, { recursive: true });
}, 30_000);
