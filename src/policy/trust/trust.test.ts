// The registry of trust: one spelling for each thing, look-alikes refused, address books read whatever wrote them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../journal/journal.ts';
import { openStore, type Store } from '../../store/open.ts';
import { openTrusted } from '../../store/people/trusted.ts';
import { createFlowRun } from '../flow/decide-flow.ts';
import { readContacts } from './contacts.ts';
import { entryOf, guessKind, type TrustKind } from './entry.ts';
import { createRegistry, type Registry } from './registry.ts';

test.each<[TrustKind, string, string | null]>([
  ['person', ' Ann@Example.NET ', 'ann@example.net'],
  ['person', 'mailto:ann@example.net', 'ann@example.net'],
  ['person', '0049 171 / 555-0123', '+491715550123'],
  ['person', 'Ann', null],
  ['person', 'аnn@example.net', null],
  ['person', 'ann@exam\u200bple.net', null],
  ['chat', 'telegram:default:42', 'telegram:42'],
  ['chat', 'telegram:work:42', 'telegram:work:42'],
  ['chat', '42', null],
  ['chat', 'mailto:x', null],
  ['host', 'HTTPS://Example.net/', 'example.net'],
  ['host', 'example.net/path', null],
  ['host', 'user@example.net', null],
  ['host', '127.0.0.1', null],
  ['host', 'exаmple.net', null],
  ['host', 'xn--exmple-4nf.net', null],
  ['account', 'de02 1203 0000 0000 2020 51', 'DE02120300000000202051'],
  ['account', 'savings', null],
])('%s %s is kept as %s', (kind, written, value) => {
  expect(entryOf(kind, written)?.value ?? null).toBe(value);
});

test('a kind is guessed only where it can be no other', () => {
  const kinds = [
    'a@b.example',
    '+49 171 5550123',
    'example.net',
    'telegram:42',
    'DE02 1203 0000 0000 2020 51',
    '42',
    'Ann',
  ];
  expect(kinds.map(guessKind)).toEqual(['person', 'person', 'host', 'chat', 'account', null, null]);
});

describe('address books', () => {
  test('vCard: folded lines, groups, several addresses, quoted-printable, doubles', () => {
    const text = `\uFEFFBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Le\r\n e\r\nitem1.EMAIL;TYPE=home:ann@example.net\r\nTEL;VALUE=uri:tel:+49-171-5550123\r\nEND:VCARD
BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Jo;;;\nEMAIL:JO@example.net\nEMAIL:Ann@example.net\nTEL:12\nEND:VCARD\n`;
    expect(readContacts('a.vcf', text)).toEqual({
      found: [
        { kind: 'person', value: 'ann@example.net', name: 'Ann Lee' },
        { kind: 'person', value: '+491715550123', name: 'Ann Lee' },
        { kind: 'person', value: 'jo@example.net', name: 'Jo Müller' },
      ],
      skipped: 1,
    });
  });
  test('CSV: headed, quoted, with semicolons, and without a head', () => {
    const headed =
      'First Name;Last Name;E-mail 1 - Label;E-mail 1 - Value;Notes\n"Le;e";Ann;* Home;ann@example.net ::: a2@example.net;see x@evil.example\n';
    expect(readContacts('a.csv', headed).found).toEqual([
      { kind: 'person', value: 'ann@example.net', name: 'Le;e Ann' },
      { kind: 'person', value: 'a2@example.net', name: 'Le;e Ann' },
    ]);
    expect(readContacts('a.csv', 'Ann,ann@example.net\nJo,+49 171 5550123').found).toMatchObject([{ name: 'Ann' }, { name: 'Jo', value: '+491715550123' }]); // biome-ignore format: one line
    expect(() => readContacts('a.pdf', '%PDF')).toThrow('neither');
  });
  test('a large one is read in time that grows with its length', () => {
    const started = performance.now();
    readContacts('a.csv', `"${'a'.repeat(2_000_000)}`);
    readContacts('a.vcf', `BEGIN:VCARD\n${'EMAIL:x\n'.repeat(200_000)}END:VCARD`);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

test('pages of a confirmed host need no naming; what is asked there, other ports and hosts below it do', () => {
  const rules = { web: { effect: 'fetch', args: { url: 'target' }, result: 'untrusted' } } as const;
  const run = createFlowRun(rules, {}, { isTainted: true, hasSecret: false, hosts: new Set(['example.net']) });
  const decide = (url: string) => run.decide({ tool: 'web', args: { url } }).decision;
  expect(['https://example.net/', 'https://Example.net/docs/a'].map(decide)).toEqual(['allow', 'allow']);
  for (const url of ['https://example.net/?q=a', 'https://example.net/#a', 'https://a.example.net/', 'http://example.net/', 'https://me@example.net/', 'https://example.net:8443/', `https://example.net/${'a'.repeat(300)}`, 'https://example.net.evil.example/']) // biome-ignore format: a list
    expect(decide(url), url).toBe('ask');
  const secret = createFlowRun(rules, {}, { isTainted: true, hasSecret: true, hosts: new Set(['example.net']) });
  expect(secret.decide({ tool: 'web', args: { url: 'https://example.net/' } })).toMatchObject({ code: 'SECRET_READ' });
});

describe('the registry', () => {
  let folder: string;
  let store: Store;
  let registry: Registry;
  const open = () =>
    createRegistry({
      ...{ store, table: openTrusted(store), journal: openJournal(store, () => 5), now: () => 5 },
      paired: () => [{ channel: 'telegram', account: 'default', chat: '42', title: 'Jo\u202e' }],
    });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hardshell-trust-'));
    store = openStore(join(folder, 'state.sqlite'));
    registry = open();
  });
  afterEach(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });

  test('adds once, keeps over a start, removes by any spelling, and journals who did it', () => {
    const ann = { kind: 'person', value: 'Ann@example.net', name: 'Ann' } as const;
    expect(registry.add([ann, { ...ann, value: 'ann@EXAMPLE.net' }], { by: 'me' }, 'typed')).toMatchObject({ known: 0, added: [{ value: 'ann@example.net' }] }); // biome-ignore format: one line
    expect(registry.add([ann], {}, 'typed')).toMatchObject({ added: [], known: 1 });
    expect(open().flow()).toEqual({ person: ['ann@example.net'] });
    expect(registry.remove('ANN@example.net', { by: 'me' })).toHaveLength(1);
    expect(registry.flow()).toEqual({});
    expect(registry.remove('ann@example.net', {})).toEqual([]);
    const kinds = store.prepare(`SELECT kind, body FROM journal WHERE kind LIKE 'trust.%'`).all();
    expect(kinds.map((row) => row['kind'])).toEqual(['trust.added', 'trust.removed']);
    expect(String(kinds[0]?.['body'])).toContain('"by":{"by":"me"}');
  });
  test('one that is unusable adds none of them', () => {
    const good = { kind: 'host', value: 'example.net', name: '' } as const;
    expect(() => registry.add([good, { ...good, value: '10.0.0.1' }], {}, '')).toThrow('no host');
    expect(registry.list().entries).toEqual([]);
  });
  test('people who were let in are offered, and count only once they were added', () => {
    expect(registry.list().candidates).toEqual([{ kind: 'chat', value: 'telegram:42', name: 'Jo' }]);
    expect(registry.flow()).toEqual({});
    registry.add(registry.list().candidates, {}, 'paired');
    expect(registry.flow()).toEqual({ chat: ['telegram:42', 'telegram:default:42'] });
    expect(registry.list().candidates).toEqual([]);
  });
});
