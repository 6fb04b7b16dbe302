// Every search service against a server that answers as it does, well and badly.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { search } from './search.ts';
import { serviceOf } from './search-choice.ts';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function serve(
  body: string,
  status = 200,
): Promise<{ baseUrl: string; heard: { request: IncomingMessage; body: string }[] }> {
  const heard: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let sent = '';
    for await (const chunk of request) sent += String(chunk);
    heard.push({ request, body: sent });
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}
const { signal } = new AbortController();
const results = (text: string) => [
  { title: 'A <strong>whale</strong>', url: 'https://a.example/x', [text]: 'big\n &amp; blue' },
  { title: 'No address', url: 'javascript:alert(1)', [text]: '' },
  { title: 'Second', url: 'https://b.example/', [text]: null },
];
const FOUND = [
  { title: 'A whale', url: 'https://a.example/x', text: 'big &amp; blue' },
  { title: 'Second', url: 'https://b.example/', text: '' },
];

test.each([
  ['brave', { web: { results: results('description') } }],
  ['tavily', { results: results('content') }],
  ['searxng', { results: results('content') }],
])('%s', async (provider, body) => {
  const { baseUrl, heard } = await serve(JSON.stringify(body));
  expect(
    await search(
      { provider: provider === 'searxng' ? baseUrl : provider, apiKey: 'key-1' },
      { query: 'blue whale?', count: 2 },
      signal,
      baseUrl,
    ),
  ).toEqual(FOUND);
  const [{ request, body: sent } = { request: { headers: {} } as IncomingMessage, body: '' }] = heard;
  const said = { url: request.url, ...request.headers, sent };
  if (provider === 'brave')
    expect(said).toMatchObject({ url: '/?q=blue+whale%3F&count=2', 'x-subscription-token': 'key-1' });
  else if (provider === 'searxng') expect(said).toMatchObject({ url: '/search?q=blue+whale%3F&format=json' });
  else expect(said).toMatchObject({ authorization: 'Bearer key-1', sent: '{"query":"blue whale?","max_results":2}' });
  if (provider === 'searxng') expect(JSON.stringify(said)).not.toContain('key-1');
});

const RESULT = (href: string, title: string) =>
  `<h2><a rel="nofollow" class="result__a" href="${href}">${title}</a></h2><a class="result__snippet" href="x">About <b>it</b></a>`;
test('duckduckgo, without its counter and its advertisements', async () => {
  const { baseUrl } = await serve(
    RESULT('//duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Fx%3Fy%3D1&amp;rut=abc', 'A &amp; <b>B</b>') +
      RESULT('https://duckduckgo.com/y.js?ad_provider=x', 'Buy!') +
      RESULT('https://c.example/', 'C'),
  );
  expect(await search({ provider: 'duckduckgo' }, { query: 'x', count: 5 }, signal, baseUrl)).toEqual([
    { title: 'A & B', url: 'https://a.example/x?y=1', text: 'About it' },
    { title: 'C', url: 'https://c.example/', text: 'About it' },
  ]);
});

test.each<[string, string, number, string]>([
  ['a wrong key', '{}', 401, 'its key is not accepted'],
  ['too many', '', 429, 'too many questions'],
  ['no JSON', '<html>', 200, 'something else than results'],
  ['too much', 'x'.repeat(1_100_000), 200, 'more than'],
])('%s is one clear error', async (_name, body, status, said) => {
  const { baseUrl } = await serve(body, status);
  await expect(search({ provider: baseUrl }, { query: 'x', count: 5 }, signal)).rejects.toThrow(said);
});

test('a page that wants to see a person is no empty result', async () => {
  const { baseUrl } = await serve('<div class="anomaly-modal__title">Are you human?</div>');
  const asked = search({ provider: 'duckduckgo' }, { query: 'x', count: 5 }, signal, baseUrl);
  await expect(asked).rejects.toThrow('something else than results');
});

test('the service is the one that is named, or that the settings are for', () => {
  expect(serviceOf({})).toBe('duckduckgo');
  expect(serviceOf({ apiKey: 'k' })).toBe('brave');
  expect(serviceOf({ provider: 'http://127.0.0.1:8888', apiKey: 'k' })).toBe('searxng');
  expect(serviceOf({ provider: 'tavily', apiKey: 'k' })).toBe('tavily');
});
