// Owns a child that has a network of its own, with nothing in it but its loopback: every fetcher of ours is sent to names of
// a hostile name server, and what happened is one line of JSON each. A server on the loopback says whether it was reached.
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, get, request } from 'node:http';
import { DISCORD, mediaUrl } from '../../src/channels/discord/endpoints.ts';
import { fileUrl, SLACK } from '../../src/channels/slack/endpoints.ts';
import { openEgressProxy } from '../../src/net/egress/proxy.ts';
import { openMcpHttp } from '../../src/net/mcp/http.ts';
import { createPages } from '../../src/net/web/fetch-page.ts';
import { search } from '../../src/net/web/search.ts';
import { startDnsServer } from '../doubles/dns-server.ts';

const PORT = 8080;
const dns = await startDnsServer(53);
let hits = 0;
const server = createServer((_request, response) => {
  hits += 1;
  response.end('{"results":[]}');
}).listen(PORT, '::');
await once(server, 'listening');
const signal = (): AbortSignal => AbortSignal.timeout(5_000);

/** What everybody writes first: look at the address, then call the name. */
async function careless(host: string): Promise<string> {
  await lookup(host);
  const asked = get(`http://${host}:${PORT}/`, { agent: false });
  const [answer] = await once(asked, 'response');
  answer.resume();
  return 'reached';
}
async function page(host: string): Promise<string> {
  const pages = createPages({ ownPorts: () => [] });
  const read = { maxBytes: 1_000, signal: signal(), whyNotHost: () => null };
  return (await pages.fetchPage(`http://${host}:${PORT}/`, read)).kind;
}
async function asSearch(host: string): Promise<string> {
  return JSON.stringify(await search({ provider: `http://${host}:${PORT}` }, { query: 'x', count: 1 }, signal()));
}
async function asMcp(host: string): Promise<string> {
  const wire = openMcpHttp({ url: `http://${host}:${PORT}/mcp`, headers: {} }, () => {});
  return wire.send({ jsonrpc: '2.0', method: 'x' }, signal());
}
const asProxy =
  (method: 'GET' | 'CONNECT') =>
  async (host: string): Promise<string> => {
    const proxy = await openEgressProxy({ socketPath: null, hosts: () => [`${host}:${PORT}`], seen() {} });
    const path = method === 'GET' ? `http://${host}:${PORT}/` : `${host}:${PORT}`;
    const asked = request({ host: '127.0.0.1', port: proxy.port, method, path, agent: false }).end();
    const [answer] = await once(asked, method === 'GET' ? 'response' : 'connect');
    let text = '';
    if (method === 'GET') for await (const chunk of answer) text += String(chunk);
    await proxy.close();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
    return text;
  };

const FETCHERS = { careless, page, search: asSearch, mcp: asMcp, proxy: asProxy('GET'), tunnel: asProxy('CONNECT') };
let serial = 0;
for (const zone of ['rebind', 'loopback', 'lan', 'metadata', 'mixed', 'mapped', 'inland', 'translated'])
  for (const [fetcher, run] of Object.entries(FETCHERS)) {
    if (fetcher === 'careless' && zone !== 'rebind') continue;
    const host = `${zone}${++serial}.attacker.example`;
    const said: string[] = [];
    const reached: number[] = [];
    // The second time, a name that changes has changed.
    for (let turn = 0; turn < 2; turn++) {
      hits = 0;
      said.push(await run(host).catch((error: Error) => error.message));
      reached.push(hits);
    }
    process.stdout.write(`${JSON.stringify({ zone, fetcher, said, reached, asked: dns.asked(host) })}\n`);
  }

/** H01 to H04: this machine and its neighbours, however they are written. */
const SPELLINGS = ['127.0.0.1', 'localhost', 'localhost.', 'LOCALHOST', '127.1', '0x7f.1', '0x7f000001', '2130706433', '0177.0.0.1', '0.0.0.0', '0', '[::]', '[::1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '[::7f00:1]', '１２７.0.0.1', '①②⑦.⓪.⓪.①', '127。0。0。1', 'ｌｏｃａｌｈｏｓｔ', 'u:p@127.0.0.1', 'example.net@127.0.0.1', '169.254.169.254', '192.168.1.1', '[fd00::1]', '[fe80::1]', '100.64.0.1', '198.18.0.1', 'cdn.discordapp.com.attacker.example', 'cdn.discordapp.com@127.0.0.1', 'files.slack.com@127.0.0.1']; // biome-ignore format: a table
const asMedia = async (host: string): Promise<string> => {
  const url = `https://${host}/a.png`;
  return mediaUrl(url, DISCORD) || fileUrl(url, SLACK) ? 'would be fetched' : 'is no host of the platform';
};
for (const host of SPELLINGS)
  for (const [fetcher, run] of Object.entries({
    page,
    proxy: FETCHERS.proxy,
    tunnel: FETCHERS.tunnel,
    media: asMedia,
  })) {
    hits = 0;
    const said = [await run(host).catch((error: Error) => error.message)];
    process.stdout.write(`${JSON.stringify({ zone: host, fetcher, said, reached: [hits], asked: 0 })}\n`);
  }
process.exit(0);
