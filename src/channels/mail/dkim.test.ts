import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Domain, dnsOf, mailOf, makeDomain, type Zone } from '../../../test/doubles/mail-domain.ts';
import { evidenceOf } from './dkim.ts';
import { fromOf, splitMail } from './headers.ts';

const zone: Zone = new Map();
let friends: Domain;
let evil: Domain;
let modern: Domain;
beforeAll(() => {
  friends = makeDomain('friends.example', zone);
  evil = makeDomain('evil.example', zone);
  modern = makeDomain('friends.example', zone, 'ed25519');
});

const NOW = Math.floor(Date.now() / 1_000) * 1_000;

async function judge(raw: Buffer, dns: Zone = zone, atMs = NOW) {
  const mail = splitMail(raw);
  const from = fromOf(mail.headers);
  return evidenceOf(
    mail,
    'refused' in from ? 'nobody@friends.example' : from.address,
    'bot@house.example',
    atMs,
    dnsOf(dns),
  );
}
const reasonOf = async (...args: Parameters<typeof judge>): Promise<string> => {
  const found = await judge(...args);
  return found.isVerified ? 'verified' : found.reason;
};
/** What an independent verifier says of the same mail. */
async function independently(raw: Buffer): Promise<string[]> {
  const dns = dnsOf(zone);
  const { results } = await dkimVerify(raw, { resolver: (name: string) => dns(name), curTime: new Date(NOW) } as never);
  return results.map((one) => String(one.status.result));
}
const edited = (raw: Buffer, from: string, to: string): Buffer => {
  const text = raw.toString('latin1');
  expect(text).toContain(from);
  return Buffer.from(
    text.replace(from, () => to),
    'latin1',
  );
};

const BODIES = {
  plain: 'Hello there.',
  empty: '',
  'spaces and empty lines': '  two  spaces \t and a tab\t\n\n\nlast line   \n\n\n',
  'no line end': 'one\ntwo',
  'dots and umlauts': '.\n..\nGrüße',
  long: `${'x'.repeat(900)} \n`.repeat(400),
};

describe('a mail that the sender’s own domain signed', () => {
  test.each(Object.entries(BODIES))('is verified: %s', async (_, text) => {
    const signed = await friends.sign(mailOf({ text }));
    expect(await judge(signed)).toMatchObject({ isVerified: true });
    expect(await independently(signed)).toEqual(['pass']);
  });

  test.each(['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'])(
    'in the form %s',
    async (form) => {
      for (const text of Object.values(BODIES)) {
        for (const domain of [friends, modern]) {
          const folded = mailOf({ text, subject: 'a  subject\r\n\tthat is   folded ' });
          const signed = await domain.signAs(folded, { canonicalization: form });
          expect(await independently(signed)).toEqual(['pass']);
          expect(await reasonOf(signed)).toBe('verified');
        }
      }
    },
  );

  test('stays verified when relays put lines on top, and is the same mail to us', async () => {
    const signed = await friends.sign(mailOf());
    const relayed = Buffer.concat([Buffer.from('Received: from a by b; now\r\nX-Spam: no\r\n'), signed]);
    expect(await judge(relayed)).toEqual(await judge(signed));
  });

  test('counts when a parent domain signed, unless the sender’s policy wants its own', async () => {
    const signed = await friends.sign(mailOf({ from: 'ann@mail.friends.example' }));
    expect(await reasonOf(signed)).toBe('verified');
    const strict = new Map(zone).set('_dmarc.friends.example', 'v=DMARC1; p=none; adkim=s');
    expect(await reasonOf(signed, strict)).toBe('mail.friends.example wants signatures of its own');
    const nearer = new Map(strict).set('_dmarc.mail.friends.example', 'v=DMARC1; p=none');
    expect(await reasonOf(signed, nearer)).toBe('verified');
    const silent = new Map(zone).set(
      '_dmarc.mail.friends.example',
      Object.assign(new Error('x'), { code: 'ESERVFAIL' }),
    );
    expect(await reasonOf(signed, silent)).toContain('the DNS did not say');
  });
});

describe('what is not verified', () => {
  test('a forged From, with a good signature of another domain and a forged Authentication-Results', async () => {
    const forged = await evil.sign(
      mailOf({ more: ['Authentication-Results: house.example; dkim=pass header.d=friends.example; dmarc=pass'] }),
    );
    expect(await independently(forged)).toEqual(['pass']);
    expect(await reasonOf(forged)).toBe('no signature is of friends.example');
    expect(await reasonOf(mailOf({ more: ['Authentication-Results: x; dmarc=pass'] }))).toBe('nobody signed it');
  });

  test('a subdomain or a look-alike that signs for the domain above it', async () => {
    const names = ['sub.friends.example', 'notfriends.example', 'example', 'friends.example.evil.example'];
    for (const name of names) {
      const signed = await makeDomain(name, zone).sign(mailOf());
      expect([name, await reasonOf(signed)]).toEqual([name, 'no signature is of friends.example']);
    }
  });

  test('anything signed that was changed: text, subject, sender, recipient', async () => {
    const signed = await friends.sign(mailOf());
    expect(await reasonOf(edited(signed, 'Hello there.', 'Hello thief.'))).toBe(
      'its text was changed after it was signed',
    );
    for (const [from, to] of [
      ['Subject: hello', 'Subject: other'],
      ['From: Ann <ann@', 'From: Ann <bob@'],
      ['To: bot@house.example', 'To: x@y.example, bot@house.example'],
      ['Message-ID: <mail', 'Message-ID: <liam'],
    ] as const) {
      expect(await reasonOf(edited(signed, from, to))).toBe('its signature is wrong');
      expect(await independently(edited(signed, from, to))).toEqual(['fail']);
    }
  });

  test('a signed beginning with an end by anybody (l=)', async () => {
    const signed = await friends.signAs(mailOf(), { maxBodyLength: 5 });
    const longer = Buffer.concat([signed, Buffer.from('and pay Eve')]);
    expect(signed.toString()).toMatch(/\bl=\d/);
    expect(await reasonOf(longer)).toBe('its signature covers only the beginning');
  });

  test('a second header of a kind that there may be once, above or below the signed one', async () => {
    const signed = await friends.sign(mailOf());
    for (const line of [
      'Subject: other',
      'From: eve@evil.example',
      'Content-Type: text/html',
      'To: bot@house.example',
    ]) {
      const name = line.split(':')[0]?.toLowerCase();
      const above = Buffer.concat([Buffer.from(`${line}\r\n${name === 'content-type' ? `${line}\r\n` : ''}`), signed]);
      expect(await reasonOf(above)).toBe(`it has several ${name} headers`);
    }
  });

  test('a subject, an id or a recipient that the signature leaves out', async () => {
    expect(await reasonOf(await friends.sign(mailOf(), 'From:To:Message-ID'))).toBe('its subject is not signed');
    expect(await reasonOf(await friends.sign(mailOf(), 'From:To:Subject'))).toBe('its message-id is not signed');
    const toOther = await friends.sign(mailOf({ to: 'carol@other.example' }), 'From:To:Subject:Message-ID');
    const withUs = Buffer.concat([Buffer.from('Cc: bot@house.example\r\n'), toOther]);
    expect(await independently(withUs)).toEqual(['pass']);
    expect(await reasonOf(withUs)).toBe('its signed recipients do not include bot@house.example');
  });

  test('a mail to somebody else that is handed on to us', async () => {
    const toOther = await friends.sign(mailOf({ to: '"bot@house.example" <carol@other.example>' }));
    expect(await reasonOf(toOther)).toBe('its signed recipients do not include bot@house.example');
    expect(await reasonOf(await friends.sign(mailOf({ to: 'carol@other.example, <BOT+inbox@House.example>' })))).toBe(
      'verified',
    );
  });

  test('an expired signature, one from the future', async () => {
    const signed = await friends.signAs(mailOf(), { expires: new Date(NOW + 3_600_000), signTime: new Date(NOW) });
    expect(signed.toString()).toMatch(/\bx=\d/);
    expect(await reasonOf(signed)).toBe('verified');
    expect(await reasonOf(signed, zone, NOW + 3_700_000)).toBe('its signature has expired');
    expect(await reasonOf(signed, zone, NOW - 48 * 3_600_000)).toBe('its signature is from the future');
  });

  test('an old mail that somebody hands in again, when it is no longer known by its id', async () => {
    const day = 24 * 3_600_000;
    const signed = await friends.sign(mailOf());
    expect(await reasonOf(signed, zone, NOW + 6 * day)).toBe('verified');
    expect(await independently(signed)).toEqual(['pass']);
    expect(await reasonOf(signed, zone, NOW + 8 * day)).toContain('signed long before it arrived');
    const undated = await friends.sign(mailOf(), 'From:To:Subject:Message-ID');
    expect(await reasonOf(undated)).toContain('says when it was written');
    const later = await friends.sign(mailOf({ date: 'Sat, 21 Nov 2076 03:00:00 +0000' }));
    expect(await reasonOf(later)).toBe('it is dated in the future');
  });

  test('a key that is missing, withdrawn, on trial, of another kind, too short, doubled, or a DNS that does not answer', async () => {
    const signed = await friends.sign(mailOf());
    const key = `v=DKIM1; k=rsa; p=${friends.key}`;
    const cases: [string | Error | null, string][] = [
      [null, `there is no key at ${friends.at}`],
      ['v=DKIM1; p=', 'its key was withdrawn'],
      [`${key}; t=y`, 'its domain only tries signatures out'],
      [`v=DKIM1; k=ed25519; p=${modern.key}`, 'its key is of another kind than its signature'],
      [`v=DKIM1; h=sha1; p=${friends.key}`, 'its key is not for sha256'],
      [`v=DKIM1; s=other; p=${friends.key}`, 'its key is not for mail'],
      [`v=DKIM2; p=${friends.key}`, 'its key is of an unknown version'],
      [`${key}; p=x`, `the key at ${friends.at} is malformed`],
      [`v=DKIM1; p=${evil.key}`, 'its signature is wrong'],
      ['v=DKIM1; p=AAAA', 'its signature could not be checked'],
      [Object.assign(new Error('timeout'), { code: 'ETIMEOUT' }), 'the DNS did not say what is at'],
      [Object.assign(new Error('failure'), { code: 'ESERVFAIL' }), 'the DNS did not say what is at'],
    ];
    for (const [text, reason] of cases) {
      const dns = new Map(zone);
      if (text === null) dns.delete(friends.at);
      else dns.set(friends.at, text);
      expect(await reasonOf(signed, dns)).toContain(reason);
    }
    expect(await reasonOf(signed, new Map(zone).set(friends.at, `${key}; t=s`))).toBe('verified');
    const two = dnsOf(zone);
    const twice = async (name: string) => [...(await two(name)), ...(await two(name))];
    const mail = splitMail(signed);
    expect(await evidenceOf(mail, 'ann@friends.example', 'bot@house.example', NOW, twice)).toMatchObject({
      isVerified: false,
    });
    const short = makeDomain('short.example', zone, 'rsa', 768);
    expect(await reasonOf(await short.sign(mailOf({ from: 'ann@short.example' })))).toBe('its key has 768 bits');
  });

  test('a signature that names an old algorithm, another version or another form', async () => {
    const signed = await friends.sign(mailOf());
    for (const [from, to, reason] of [
      ['a=rsa-sha256', 'a=rsa-sha1', 'its signature uses rsa-sha1'],
      ['v=1', 'v=2', 'its signature is of an unknown version'],
      ['c=relaxed/relaxed', 'c=relaxed/nofws', 'its signature uses an unknown form'],
    ] as const) {
      expect(await reasonOf(edited(signed, from, to))).toBe(reason);
    }
  });

  test('a signature in the name of another domain, or of a subdomain with a key for exactly one', async () => {
    const signed = await friends.sign(mailOf());
    const as = (identity: string): Buffer => edited(signed, 'd=friends.example;', `d=friends.example; i=${identity};`);
    expect(await reasonOf(as('ann@evil.example'))).toBe('its signature is for another domain');
    const exact = new Map(zone).set(friends.at, `v=DKIM1; t=s; p=${friends.key}`);
    expect(await reasonOf(as('ann@mail.friends.example'), exact)).toBe('its key is for exactly one domain');
    expect(await reasonOf(as('ann@mail.friends.example'))).toBe('its signature is wrong');
  });

  test('a head with bare line ends or NULs, over which readers disagree', async () => {
    const signed = await friends.sign(mailOf({ more: ['X-One: a'] }));
    for (const odd of ['X-One: a\nFrom: eve@evil.example', 'X-One: a\rb', 'X-One: a\0', 'no colon here'])
      expect(await reasonOf(edited(signed, 'X-One: a', odd))).toBe('its head is malformed');
  });
});

test('a head of nothing but signatures and a body of white space cost no more than reading them', async () => {
  const signature = 'DKIM-Signature: v=1; a=rsa-sha256; d=friends.example; s=none; h=from; bh=x; b=y\r\n';
  const heads = Buffer.concat([Buffer.from(signature.repeat(2_000)), mailOf()]);
  const spaces = await friends.sign(mailOf({ text: ' '.repeat(5_000_000) }));
  const many = Buffer.concat([Buffer.from('a:\r\n'.repeat(60_000)), await friends.sign(mailOf())]);
  const dns = dnsOf(zone);
  const startedAtMs = performance.now();
  await evidenceOf(splitMail(heads), 'ann@friends.example', 'bot@house.example', NOW, dns);
  expect(dns.asked.length).toBeLessThanOrEqual(3);
  expect(await reasonOf(spaces)).toBe('verified');
  expect(await reasonOf(many)).toBe('verified');
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});
