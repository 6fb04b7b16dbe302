// What the settings say about pages, and which words may go to a search service after what was read.
import { describe, expect, test } from 'vitest';
import { OWNER_DM } from '../../../test/support/speaker.ts';
import { label } from '../../store/label.ts';
import { webFetchTool, webSearchTool } from '../../tools/web.ts';
import { namedIn } from '../flow/canonical.ts';
import { createFlowRun } from '../flow/decide-flow.ts';
import { judgeFlow } from '../flow/judge.ts';
import { judgeWeb } from './judge.ts';
import { unvouched } from './query.ts';

const FETCH = { enabled: true, maxChars: 20_000, maxBytes: 1_000_000, blockedHosts: [] as readonly string[] };
const judged = (url: string, fetch: object, search = { enabled: true }) =>
  judgeWeb([{ kind: 'fetch', url }], { fetch: { ...FETCH, ...fetch }, search })[0] ?? null;

describe('the settings of pages', () => {
  test.each<[string, string, object, string | null]>([
    ['nothing is set', 'https://a.example/x', {}, null],
    ['they are off', 'https://a.example/', { enabled: false }, 'WEB_OFF'],
    ['it is listed', 'https://a.example/', { allowedHosts: ['A.example'] }, null],
    ['it is below what is listed', 'https://x.a.example/', { allowedHosts: ['*.a.example'] }, null],
    ['only what is below is listed', 'https://a.example/', { allowedHosts: ['*.a.example'] }, 'HOST_NOT_LISTED'],
    [
      'H09 it begins like what is listed',
      'https://a.example.evil.example/',
      { allowedHosts: ['a.example'] },
      'HOST_NOT_LISTED',
    ],
    [
      'H09 it ends like what is listed',
      'https://eviла.example/',
      { allowedHosts: ['*.a.example', 'a.example'] },
      'HOST_NOT_LISTED',
    ],
    ['another port is asked for', 'https://a.example:8443/', { allowedHosts: ['a.example'] }, 'HOST_NOT_LISTED'],
    ['the port is listed', 'https://a.example:8443/', { allowedHosts: ['a.example:8443'] }, null],
    ['it is listed as an address', 'https://a.example/', { allowedHosts: ['https://a.example/'] }, null],
    ['a page of it is listed', 'https://a.example/', { allowedHosts: ['a.example/x'] }, 'HOST_NOT_LISTED'],
    ['a page of it is closed', 'https://a.example/', { blockedHosts: ['a.example/x'] }, 'HOST_BLOCKED'],
    ['the list is empty', 'https://a.example/', { allowedHosts: [] }, 'HOST_NOT_LISTED'],
    ['it is closed', 'https://a.example:9000/', { blockedHosts: ['a.example'] }, 'HOST_BLOCKED'],
    ['what is above it is closed', 'https://x.a.example/', { blockedHosts: ['a.example.'] }, 'HOST_BLOCKED'],
    [
      'it is open and closed',
      'https://a.example/',
      { allowedHosts: ['a.example'], blockedHosts: ['a.example'] },
      'HOST_BLOCKED',
    ],
    [
      'it is closed with other letters',
      'https://xn--bcher-kva.example/',
      { blockedHosts: ['bücher.example'] },
      'HOST_BLOCKED',
    ],
    ['it is a machine of the network', 'http://192.168.1.1/', { allowedHosts: ['192.168.1.1'] }, 'ADDRESS_REFUSED'],
    ['it is this machine', 'http://localhost:8080/', {}, 'ADDRESS_REFUSED'],
  ])('when %s', (_name, url, fetch, code) => {
    expect(judged(url, fetch)?.rule === 'deny' ? judged(url, fetch) : null).toEqual(
      code === null ? null : expect.objectContaining({ code }),
    );
  });

  test('a denial names the setting and what opens it', () => {
    expect(judged('https://b.example/', { allowedHosts: ['a.example'] })).toMatchObject({
      key: 'tools.web.fetch.allowedHosts',
      fix: `openclaw config set tools.web.fetch.allowedHosts '["a.example","b.example"]'`,
    });
  });

  test('a search is refused when it is off, or its service lacks what it needs', () => {
    const search = (settings: object) =>
      judgeWeb([{ kind: 'search', query: 'x' }], { fetch: FETCH, search: { enabled: true, ...settings } });
    expect(search({})).toEqual([]);
    expect(search({ enabled: false })).toMatchObject([{ code: 'WEB_OFF' }]);
    expect(search({ provider: 'brave' })).toMatchObject([
      { code: 'SEARCH_NOT_SET', reason: expect.stringContaining('apiKey') },
    ]);
    expect(search({ provider: 'brave', apiKey: 'k' })).toEqual([]);
    expect(search({ provider: 'https://searx.example' })).toEqual([]);
  });
});

const NOTHING = { own: '', pages: [], things: [], hasThings: false, hasOutside: false };

describe('the words of a search', () => {
  test('are free as long as nothing was read', () => {
    expect(unvouched('anything at all 12345', NOTHING)).toBeNull();
  });

  test.each<[string, string, string | null]>([
    ['the owner said them', 'weather in Berlin', null],
    ['the page has them', 'storm harbour 1962', null],
    ['nobody has them', 'storm xylophone', 'xylophone'],
    ['a number is nobody’s', 'storm 493817', '493817'],
    ['they are small', 'how is the storm', null],
  ])('after a page, when %s', (_name, query, expected) => {
    const read = {
      ...NOTHING,
      own: 'look up the weather in Berlin',
      pages: ['The storm of 1962 in the harbour'],
      hasOutside: true,
    };
    expect(unvouched(query, read)).toBe(expected);
  });

  test.each<[string, string, string | null]>([
    ['the owner said them', 'weather Berlin', null],
    ['only the page has them', 'storm', 'storm'],
    ['only the file has them', 'hunter', 'hunter'],
  ])('after a page and a file, when %s', (_name, query, expected) => {
    const read = { own: 'weather in Berlin', pages: ['storm'], things: ['hunter'], hasThings: true, hasOutside: true };
    expect(unvouched(query, read)).toBe(expected);
  });

  test.each<[string, string, string | null]>([
    ['they are the model’s own', 'best laptops for students', null],
    ['they are a number of it', 'who has 4711', '4711'],
    ['they are words of it in a row', 'meaning of correct horse', 'correct horse'],
    ['the owner said those', 'blue whale facts', null],
    ['an address leads on', 'who is bob@work.example', 'bob@work.example'],
    ['they are packed', 'aGVsbG8gd29ybGQhISBhbmQgbW9yZQ1', 'aGVsbG8gd29ybGQhISBhbmQgbW9yZQ1'],
  ])('after a file alone, when %s', (_name, query, expected) => {
    const read = {
      ...NOTHING,
      own: 'tell me of the blue whale',
      things: ['pin 4711, correct horse, blue whale'],
      hasThings: true,
    };
    expect(unvouched(query, read)).toBe(expected);
  });

  test('take no longer for what was read being long', () => {
    const from = performance.now();
    unvouched('one two three four five', { ...NOTHING, own: 'x', things: ['word '.repeat(200_000)], hasThings: true });
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});

describe('a run', () => {
  const TOOLS = {
    web_fetch: webFetchTool.roles,
    web_search: webSearchTool.roles,
    passport: { effect: 'read', args: {}, result: 'own', readers: 'secret' },
  } as unknown as Parameters<typeof createFlowRun>[0];
  const fetch = (url: string) => ({ tool: 'web_fetch', args: { url } });
  const search = (query: string) => ({ tool: 'web_search', args: { query, count: 3 } });

  test('fetches what the owner named, to the letter, and asks about all else', () => {
    const run = createFlowRun(TOOLS, {});
    run.owner('Read https://news.example/Story/a?b=c, please. And blog.example.');
    for (const url of ['https://news.example/Story/a?b=c', 'https://BLOG.example', 'https://blog.example/'])
      expect(run.decide(fetch(url)).decision, url).toBe('allow');
    for (const url of [
      ...[
        'https://news.example/story/a?b=c',
        'https://news.example/Story/a?b=c&d=secret',
        'https://news.example/Story/a',
        'https://news.example/Story/a?b',
      ],
      ...['https://news.example/Story/a?b=c.,;!?:.', 'https://news.example/Story/a?b=c//', 'https://blog.example/x'],
      ...['https://news.example:8443/Story/a?b=c', 'https://blog.example.evil.example/', 'https://evil.example/'],
    ])
      expect(run.decide(fetch(url)), url).toMatchObject({ decision: 'ask', code: 'TARGET_NOT_NAMED' });
  });

  test('asks about a link that stood in a page or in results, and after a secret about everything', () => {
    const run = createFlowRun(TOOLS, {});
    run.owner('read https://a.example/ and search for whales');
    run.result(fetch('https://a.example/'), 'see https://evil.example/?d=1');
    expect(run.decide(fetch('https://evil.example/?d=1')).decision).toBe('ask');
    expect(run.decide(search('whales')).decision).toBe('allow');
    run.result({ tool: 'passport', args: {} }, 'P123');
    expect(run.decide(search('whales'))).toMatchObject({ code: 'SECRET_READ' });
    expect(run.decide(fetch('https://a.example/'))).toMatchObject({ code: 'SECRET_READ' });
  });

  test('knows what the conversation held before by where it came from', () => {
    const verdict = (query: string, sources: readonly string[], earlier = '') =>
      judgeFlow(
        {
          ...{ turnId: 'r', sessionKey: 's', agentId: 'main', callId: 'c', name: 'web_search', speaker: OWNER_DM },
          ...{ args: { query }, context: label('untrusted', 'owner', ...sources) },
          heard: () => ({ words: 'and the price?', results: [], earlier }),
        },
        { rolesOf: (name) => TOOLS[name], registry: {} },
      );
    const own = `${OWNER_DM.channel}:direct:${OWNER_DM.chat}`;
    expect(verdict('anything', [own])).toEqual([]);
    expect(verdict('anything', [own, 'file:notes.md', 'exec'])).toEqual([]);
    expect(verdict('whale price', [own, 'web:a.example'], 'tell me of the whale')).toEqual([]);
    expect(verdict('whale price', [own, 'web:a.example'])).toMatchObject([
      { code: 'QUERY_NOT_NAMED', marks: ['whale'] },
    ]);
    expect(verdict('anything', ['many'])).toMatchObject([{ code: 'QUERY_NOT_NAMED' }]);
  });

  test('an address of a sentence is still named', () => {
    for (const text of [
      'see https://a.example/b.',
      'https://a.example/b, then',
      '(https://a.example/b)',
      'https://a.example/b/',
    ])
      expect(namedIn(text).has('https://a.example/b'), text).toBe(true);
  });
});
