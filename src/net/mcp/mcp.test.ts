import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { openMcpHttp } from './http.ts';
import { createLines } from './lines.ts';
import { createPeer, type Message, type PeerPorts } from './rpc.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function peerWith(more: Partial<PeerPorts> = {}) {
  const sent: Message[] = [];
  const heard: string[] = [];
  const peer = createPeer({
    send: async (message) => {
      sent.push(message);
      return 'sent';
    },
    notified: (method) => heard.push(method),
    misbehaved: (why) => heard.push(`bad: ${why}`),
    ...more,
  });
  return { peer, sent, heard };
}
const SOON = { timeoutMs: 5_000 };

describe('a conversation with a server', () => {
  test('answers find their question, in any order; a refusal of the server is one', async () => {
    const { peer } = peerWith();
    const [first, second, third] = [1, 2, 3].map((n) => peer.request('m', n, SOON));
    peer.receive([
      { id: 3, error: { message: 'no' } },
      { id: 2, result: 'two' },
      { id: 1, result: 'one' },
    ]);
    expect(await Promise.all([first, second])).toEqual(['one', 'two']);
    await expect(third).rejects.toMatchObject({ kind: 'answered', message: 'no' });
  });

  test('no answer in time, or a turn that was stopped, is told to the server, and what it says later is no nonsense', async () => {
    const { peer, sent, heard } = peerWith();
    await expect(peer.request('m', {}, { timeoutMs: 5 })).rejects.toMatchObject({ kind: 'timeout' });
    const stop = new AbortController();
    const stopped = peer.request('m', {}, { ...SOON, signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled' });
    expect(sent.filter(({ method }) => method === 'notifications/cancelled')).toHaveLength(2);
    peer.receive({ id: 1, result: 'late' });
    expect(heard).toEqual([]);
  });

  test('what it asks of us is refused, but for a ping', () => {
    const { peer, sent } = peerWith();
    for (const method of ['ping', 'sampling/createMessage', 'roots/list', 'elicitation/create'])
      peer.receive({ jsonrpc: '2.0', id: method, method });
    expect(sent.map(({ id, result, error }) => [id, result ?? (error as { code: number }).code])).toEqual([
      ['ping', {}],
      ...['sampling/createMessage', 'roots/list', 'elicitation/create'].map((id) => [id, -32_601]),
    ]);
  });

  test('nonsense, wrong ids and floods are forgiven for a while and then end it, once', () => {
    const strange = peerWith();
    for (let i = 0; i < 200; i++) strange.peer.receive({ id: `x${i}`, result: 1 });
    expect(strange.heard).toEqual([expect.stringMatching(/^bad: .*no answer to anything/)]);
    const flood = peerWith();
    for (let i = 0; i < 2_000; i++) flood.peer.receive({ method: 'n' });
    expect(flood.heard.filter((one) => one.startsWith('bad'))).toHaveLength(1);
    expect(flood.heard.length).toBeLessThan(600);
  });

  test('when it ends, nobody waits, and nobody asks any more', async () => {
    const { peer } = peerWith();
    const waiting = peer.request('m', {}, SOON);
    peer.end(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    await expect(peer.request('m', {}, SOON)).rejects.toThrow('gone');
  });

  test('property: no message makes it throw or grants anything', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 20 }), (messages) => {
        const { peer, sent } = peerWith();
        for (const one of messages) peer.receive(one);
        expect(sent.filter(({ result }) => result !== undefined && JSON.stringify(result) !== '{}')).toEqual([]);
      }),
    );
  });
});

test('property: lines are the same however the bytes arrive; one that is too long ends it', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 7 }), (texts, step) => {
      const all = texts.map((text) => text.replace(/[\r\n]/g, ' ').toWellFormed());
      const bytes = Buffer.from(all.map((line) => `${line}\n`).join(''));
      const heard: string[] = [];
      const lines = createLines(
        1_000_000,
        (line) => heard.push(line),
        () => {},
      );
      for (let at = 0; at < bytes.length; at += step) lines.add(bytes.subarray(at, at + step));
      expect(heard).toEqual(all);
    }),
  );
  const heard: string[] = [];
  const lines = createLines(
    5,
    (line) => heard.push(line),
    () => heard.push('too long'),
  );
  lines.add(Buffer.from('12345\n123'));
  lines.add(Buffer.from('456\nmore\n'));
  lines.add(Buffer.from('more\n'));
  expect(heard).toEqual(['12345', 'too long']);
});

describe('H10 where a server over HTTP may be', () => {
  async function asked(url: string, addresses?: string[]): Promise<{ hits: number; said: string }> {
    let hits = 0;
    const server = createServer((_request, answer) => {
      hits += 1;
      answer.writeHead(202).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const resolve = addresses && (async () => addresses.map((address) => ({ address, family: 4 })));
    const wire = openMcpHttp(
      { url: url.replace('PORT', String(port)), headers: {}, ...(resolve ? { dangerouslyResolve: resolve } : {}) },
      () => {},
    );
    ends.push(wire.close);
    const said = await wire
      .send({ jsonrpc: '2.0', method: 'x' }, AbortSignal.timeout(5_000))
      .then(String, (error: Error) => error.message);
    return { hits, said };
  }

  test('on this machine or at home only when the owner wrote down an address there', async () => {
    expect(await asked('http://127.0.0.1:PORT/mcp')).toEqual({ hits: 1, said: 'over' });
    expect(await asked('http://localhost:PORT/mcp')).toMatchObject({ hits: 1 });
    expect(await asked('http://nas.lan:PORT/mcp', ['127.0.0.1'])).toMatchObject({ hits: 1 });
  });

  test('a public name that leads into a private network is refused, also when only one of its addresses does', async () => {
    for (const addresses of [['127.0.0.1'], ['10.0.0.1'], ['8.8.8.8', '192.168.1.1'], ['169.254.169.254'], []])
      expect([addresses, await asked('http://mcp.example.net:PORT/mcp', addresses)]).toEqual([
        addresses,
        { hits: 0, said: expect.stringContaining('private network') },
      ]);
  });

  test('the address where machines of a cloud keep their keys is never asked, whoever wrote it down', async () => {
    for (const url of [
      'http://169.254.169.254/',
      'http://[fe80::1]/',
      'http://[::ffff:169.254.169.254]/',
      'http://0xa9fea9fe/',
      'http://[64:ff9b::a9fe:a9fe]/',
      'http://[fd00:ec2::254]/',
    ])
      expect([url, await asked(url)]).toEqual([url, { hits: 0, said: expect.stringContaining('cloud') }]);
    expect(await asked('http://nas.lan:PORT/mcp', ['169.254.169.254'])).toMatchObject({ hits: 0 });
  });
});
