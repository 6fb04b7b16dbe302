// The WhatsApp part against servers that are not WhatsApp: forged certificates, silence, garbage, refusals. Real Baileys,
// fetched from its own lock file, over loopback.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { installSide } from '../../src/channels/whatsapp/install.ts';
import { type SideEvent, startSide } from '../../src/channels/whatsapp/side.ts';
import { sideCommand } from '../../src/channels/whatsapp/whatsapp.ts';
import { makeChain, startWhatsappServer } from '../doubles/whatsapp/server.ts';
import { REPO } from '../support/gateway.ts';

const CODE = join(REPO, '.cache', 'whatsapp');
const ENTRY = join(REPO, 'test', 'doubles', 'whatsapp', 'real-side.mjs');
// biome-ignore lint/suspicious/noExplicitAny: installed by this test, so there are no types
let library: any;
let folder = '';
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  await installSide(CODE, process.env);
  library = await import(join(CODE, 'node_modules', 'baileys', 'lib', 'index.js'));
  folder = mkdtempSync(join(tmpdir(), 'hardshell-wa-'));
}, 180_000);
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the side process until its connection has ended; what it said. */
async function outcome(url: string, guard = 'guarded'): Promise<SideEvent[]> {
  const events: SideEvent[] = [];
  const cwd = mkdtempSync(join(folder, 'link-'));
  const side = startSide([process.execPath, ENTRY, CODE, url, guard], cwd, (event) => events.push(event));
  closers.push(() => side.stop());
  const timer = setTimeout(() => side.stop(), 60_000);
  await side.ended;
  clearTimeout(timer);
  return events;
}
const closed = (events: SideEvent[]) => events.find((event) => event.type === 'closed');

describe('a server that is not WhatsApp', () => {
  test('with a chain of its own, signed all the way, is refused before anything of ours is said to it', async () => {
    const root = library.Curve.generateKeyPair();
    const server = await startWhatsappServer(library, (own) => makeChain(library, root, own));
    closers.push(server.close);
    const end = closed(await outcome(server.url));
    expect(end).toMatchObject({ reason: expect.stringContaining('not a WhatsApp server') });
    expect(end).toMatchObject({ reason: expect.stringContaining("not signed by WhatsApp's root") });
    expect(server.seen).toEqual({ hellos: 1, finished: 0 });
  });

  test('would have been taken for WhatsApp by the library alone', async () => {
    const root = library.Curve.generateKeyPair();
    const server = await startWhatsappServer(library, (own) => makeChain(library, root, own));
    closers.push(server.close);
    const ending = outcome(server.url, 'unguarded');
    await expect.poll(() => server.seen.finished, { timeout: 60_000 }).toBeGreaterThan(0);
    await server.close();
    await ending;
  });

  test('that is silent, refuses, or talks garbage ends as a lost connection, in bounded time and without a crash', async () => {
    const answers: ((server: Server) => void)[] = [
      // Takes the connection and says nothing.
      (server) => server.on('upgrade', () => {}),
      (server) => server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n')),
      (server) => server.on('upgrade', (_request, socket) => socket.end('\u0000\u0001garbage')),
      (server) => server.on('upgrade', (_request, socket) => socket.destroy()),
    ];
    for (const answer of answers) {
      const server = createServer().listen(0, '127.0.0.1');
      answer(server);
      await new Promise((resolve) => server.once('listening', resolve));
      closers.push(() => {
        server.closeAllConnections();
        server.close();
      });
      const events = await outcome(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(closed(events)).toMatchObject({ type: 'closed', family: 'network' });
    }
    const nobody = await outcome('ws://127.0.0.1:9/');
    expect(closed(nobody)).toMatchObject({ type: 'closed', family: 'network' });
  }, 60_000);
});

describe('the certificate check', () => {
  test('takes a chain of its root for this very key and time, and nothing else', async () => {
    const { whyNotOurs } = await import(join(CODE, 'guard.mjs'));
    const [root, other, own] = [0, 1, 2].map(() => library.Curve.generateKeyPair());
    const why = (chain: ReturnType<typeof makeChain>, key = own.public, nowMs = Date.now()) =>
      whyNotOurs(
        {
          intermediate: { details: chain.intermediate, signature: chain.intermediateSignature },
          leaf: { details: chain.leaf, signature: chain.leafSignature },
        },
        key,
        {
          root: root.public,
          detailsOf: (bytes: Uint8Array) => library.proto.CertChain.NoiseCertificate.Details.decode(bytes),
          nowMs,
        },
      );
    const good = makeChain(library, root, own);
    expect(why(good)).toBeNull();
    expect(why(makeChain(library, other, own))).toContain('root');
    // A genuine chain, replayed by somebody who has not its key.
    expect(why(good, other.public)).toContain('another key');
    const bent = Buffer.from(good.leaf);
    bent[bent.length - 1] = (bent.at(-1) ?? 0) ^ 1;
    expect(why({ ...good, leaf: bent })).toContain('not signed by the intermediate');
    const over = makeChain(library, root, own, { notBefore: 1_000, notAfter: 2_000 });
    expect(why(over)).toContain('not valid now');
    expect(why(over, own.public, 1_500_000)).toBeNull();
  });
});

describe('the shipped side process', () => {
  test('connects to no address but the built-in one, whatever it is told', async () => {
    let reached = 0;
    const server = createServer().listen(0, '127.0.0.1');
    server.on('connection', () => {
      reached += 1;
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `ws://127.0.0.1:${port}/`;
    const cwd = mkdtempSync(join(folder, 'shipped-'));
    const events: SideEvent[] = [];
    const side = startSide([...sideCommand(CODE, cwd), url, `--waWebSocketUrl=${url}`], cwd, (event) =>
      events.push(event),
    );
    side.tell({ type: 'start', waWebSocketUrl: url, url });
    // No network here: it ends by itself when its own address cannot be reached, or is stopped.
    const timer = setTimeout(() => side.stop(), 5_000);
    await side.ended;
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
    expect(reached).toBe(0);
    expect(events.every((event) => event.type !== 'open')).toBe(true);
  }, 20_000);

  test('reads nothing but its own folders and starts no process', async () => {
    const cwd = mkdtempSync(join(folder, 'walls-'));
    const [node, ...flags] = sideCommand(CODE, cwd);
    const probe = `
      const tries = { passwd: () => require('fs').readFileSync('/etc/passwd'), home: () => require('fs').readdirSync('/root'),
        write: () => require('fs').writeFileSync(${JSON.stringify(join(CODE, 'sidecar.mjs'))}, ''),
        spawn: () => require('child_process').execFileSync('/bin/true'),
        worker: () => new (require('worker_threads').Worker)('1', { eval: true }) };
      for (const [name, act] of Object.entries(tries)) { try { act(); console.log(name + ' open'); } catch (error) { console.log(name + ' ' + error.code); } }
      require('fs').writeFileSync('own', 'x'); console.log('own ' + require('fs').readFileSync('own', 'utf8'));`;
    const { spawnSync } = await import('node:child_process');
    const run = spawnSync(node, [...flags.slice(0, -1), '-e', probe], {
      cwd,
      encoding: 'utf8',
      env: {},
      timeout: 60_000,
    });
    expect(run.stdout.trim().split('\n')).toEqual([
      'passwd ERR_ACCESS_DENIED',
      'home ERR_ACCESS_DENIED',
      'write ERR_ACCESS_DENIED',
      'spawn ERR_ACCESS_DENIED',
      'worker ERR_ACCESS_DENIED',
      'own x',
    ]);
  });
});
