// Owns made-up secrets of every kind, for tests that look for leaks. They are put together when a test runs, from a fixed
// seed, so that none of them stands in a file where a scanner, or a person, would take it for a real one.
import { createHash, generateKeyPairSync } from 'node:crypto';

export type SecretSample = { readonly kind: string; readonly value: string };

const ALPHABETS = {
  an: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  up: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  low: 'abcdefghijklmnopqrstuvwxyz0123456789',
  digit: '0123456789',
} as const;

/** The same characters for the same seed, in every run. */
function letters(seed: string, length: number, alphabet: keyof typeof ALPHABETS = 'an'): string {
  const chars = ALPHABETS[alphabet];
  let out = '';
  for (let n = 0; out.length < length; n++) {
    for (const byte of createHash('sha256').update(`${seed} ${n}`).digest()) out += chars[byte % chars.length] ?? '';
  }
  return out.slice(0, length);
}

/** Recognisable by their looks alone, without being registered anywhere. */
export function tokenSamples(): SecretSample[] {
  const one = (
    kind: string,
    start: string,
    length: number,
    alphabet?: keyof typeof ALPHABETS,
    end = '',
  ): SecretSample => ({
    kind,
    value: `${start}${letters(kind + start, length, alphabet)}${end}`,
  });
  const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: 'somebody', iat: 1 })}.${letters('jwt', 43)}`;
  return [
    one('anthropic', `sk-${'ant'}-api03-`, 93),
    one('openai project', `sk-${'proj'}-`, 120),
    one('openai', 'sk-', 48),
    one('openrouter', `sk-${'or'}-v1-`, 64, 'hex'),
    one('groq', 'gsk_', 52),
    one('xai', 'xai-', 80),
    one('perplexity', 'pplx-', 48),
    one('huggingface', 'hf_', 34),
    one('replicate', 'r8_', 37),
    one('elevenlabs', 'sk_', 48, 'hex'),
    one('github', 'ghp_', 36),
    one('github app', 'ghs_', 36),
    one('github fine-grained', `github_${'pat'}_`, 82),
    one('gitlab', 'glpat-', 20),
    one('bitbucket', 'ATBB', 32),
    one('atlassian', `ATATT3${'xFf'}`, 180),
    one('npm', 'npm_', 36),
    one('pypi', `pypi-${'AgEI'}`, 150),
    one('docker', `dckr_${'pat'}_`, 27),
    one('sentry', 'sntryu_', 64, 'hex'),
    one('slack bot', `xoxb-${letters('a', 12, 'digit')}-${letters('b', 12, 'digit')}-`, 24),
    one('slack app', 'xapp-1-A0-', 60, 'low'),
    one('slack webhook', `https://hooks.slack.com/services/T${letters('t', 8, 'up')}/B${letters('u', 8, 'up')}/`, 24),
    one('discord bot', `M${letters('d', 25)}.${letters('e', 6)}.`, 38),
    one('discord webhook', `https://discord.com/api/webhooks/${letters('w', 18, 'digit')}/`, 68),
    one('telegram', `${letters('n', 10, 'digit').replace(/^0/, '7')}:AA`, 33),
    one('matrix', 'syt_', 50),
    one('aws', 'AKIA', 16, 'up'),
    one('google key', 'AIza', 35),
    one('google oauth', 'ya29.', 120),
    one('google client', 'GOCSPX-', 28),
    one('azure', `${letters('z', 3)}8Q~`, 34),
    one('digitalocean', `dop_${'v1'}_`, 64, 'hex'),
    one('tailscale', 'tskey-auth-k', 30),
    one('vault', 'hvs.', 90),
    one('terraform', `${letters('tf', 14)}.atlasv1.`, 67),
    one('databricks', 'dapi', 32, 'hex'),
    one('grafana', 'glsa_', 41),
    one('stripe', `sk_${'live'}_`, 24),
    one('stripe webhook', 'whsec_', 32),
    one('square', `sq0${'atp'}-`, 22),
    one('shopify', 'shpat_', 32, 'hex'),
    one('twilio', 'SK', 32, 'hex'),
    one('sendgrid', `SG.${letters('sg', 22)}.`, 43),
    one('mailgun', 'key-', 32, 'hex'),
    one('mailchimp', '', 32, 'hex', '-us21'),
    one('notion', 'ntn_', 46),
    one('linear', `lin_${'api'}_`, 40),
    one('airtable', `pat${letters('at', 14)}.`, 64, 'hex'),
    one('figma', 'figd_', 40),
    one('age', 'AGE-SECRET-KEY-1', 58, 'up'),
    { kind: 'jwt', value: jwt },
    { kind: 'private key', value: pemKey() },
  ];
}

/** Of no shape at all: only a registry can know them. */
export function plainSamples(): SecretSample[] {
  return [
    { kind: 'gateway token', value: letters('gateway', 64, 'hex') },
    { kind: 'aws secret key', value: `${letters('aws', 19)}/${letters('aws2', 10)}+${letters('aws3', 9)}` },
    { kind: 'password', value: 'Tr0ub4dor&3 "quoted"' },
    { kind: 'password with all signs', value: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ tail' },
    { kind: 'passphrase', value: 'velvet kumquat drizzle anvil tundra' },
    { kind: 'not ASCII', value: 'pässwörd-ключ-鍵-🔑-end' },
    {
      kind: 'many lines',
      value: `first line of it ${letters('l1', 20)}\nsecond line ${letters('l2', 24)}\n\tthird ${letters('l3', 20)}`,
    },
    { kind: 'mail password', value: 'abcd efgh ijkl mnop' },
    { kind: 'backslashes', value: `\\\\host\\share\\${letters('bs', 12)}\\` },
    { kind: 'short', value: 'k3y-9x' },
  ];
}

/** 60 and more of every kind. */
export const allSamples = (): SecretSample[] => [...tokenSamples(), ...plainSamples()];

let madeKey = '';
function pemKey(): string {
  madeKey ||= generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
    .trim();
  return madeKey;
}
