// Owns the question whether a secret can protect anything: left-over examples, redaction marks, words, repetitions. It
// must never repeat the secret in what it says, and it never lets a generated one fail (`openssl rand -hex 32`).

export type Weakness = {
  readonly code: 'placeholder' | 'redacted' | 'variable' | 'environment-name' | 'guessable';
  /** continues "the gateway token …" */
  readonly why: string;
};

export const MIN_SECRET_BITS = 64;
/** A passphrase is stretched by argon2id before it protects anything, and it must be remembered. */
export const MIN_PASSPHRASE_BITS = 45;

/** Text that stands where a secret should: from a guide, a mask, or a variable nobody filled in. */
export function placeholderIn(value: string): Weakness | null {
  const text = value.trim();
  const lower = text.toLowerCase();
  if (MASKS.some((mask) => mask.test(lower))) {
    return { code: 'redacted', why: 'is a redaction mark, not the value that it hid' };
  }
  if (/\$\{[^}]*\}|^\$\w+$|^\$\(.*\)$|\{\{.*\}\}|^%\w+%$/.test(text)) {
    return { code: 'variable', why: 'is a variable that nothing replaced' };
  }
  if (/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(TOKEN|KEY|SECRET|PASSWORD|PASS|PAT|AUTH|ID)$/.test(text)) {
    return { code: 'environment-name', why: `is the name of an environment variable; write \${${text}} to use it` };
  }
  if (EXAMPLES.some((example) => example.test(lower)) && !isRandom(text)) {
    return { code: 'placeholder', why: 'is an example from a guide, not a secret' };
  }
  return null;
}

/** A generated one holds `xxx` or `your` now and then; a sentence or a name with it has not half the bits for its length. */
const isRandom = (text: string): boolean =>
  /^[\w+/=-]{22,256}$/.test(text) && estimateBits(text) > RANDOM_BITS_PER_CHAR * text.length;

/** null when the secret is good enough to stand alone between the network and the owner. */
export function weaknessOf(value: string, minBits = MIN_SECRET_BITS): Weakness | null {
  const placeholder = placeholderIn(value);
  if (placeholder) return placeholder;
  const bits = Math.floor(estimateBits(value));
  if (bits >= minBits) return null;
  return { code: 'guessable', why: `can be guessed (about ${bits} bits, at least ${minBits} are needed)` };
}

/**
 * How many bits somebody must guess who knows words, keyboards and repetitions. An estimate from below for human
 * choices; random text of any alphabet gets about what it has.
 */
export function estimateBits(value: string): number {
  const text = value.slice(0, MAX_JUDGED_CHARS);
  const lower = text.toLowerCase();
  const plain = lower.replace(/[013457@$!]/g, (char) => LEET[char] ?? char);
  const perChar = Math.log2(alphabetOf(text));
  let bits = 0;
  for (let at = 0; at < text.length; ) {
    const pieces = [
      repetition(lower, at),
      word(lower, at, 0),
      word(plain, at, 1.5),
      sequence(lower, at),
      year(lower, at),
    ];
    const best = pieces.reduce((a, b) => (b.length * perChar - b.bits > a.length * perChar - a.bits ? b : a), NOTHING);
    if (best.length > 0 && best.bits < best.length * perChar) {
      bits += best.bits;
      at += best.length;
      continue;
    }
    bits += perChar > 4 ? (naturalBits(lower, at) ?? perChar) : perChar;
    at += 1;
  }
  return bits;
}

/** Letters as they follow each other in words, and what stands between words. */
function naturalBits(text: string, at: number): number | null {
  if (/[-_ .]/.test(text[at] ?? '')) {
    const besideWord = /[a-z]{3}$/.test(text.slice(0, at)) || /^[a-z]{3}/.test(text.slice(at + 1));
    return besideWord ? SEPARATOR_BITS : null;
  }
  return COMMON_PAIRS.has(text.slice(Math.max(0, at - 1), at + 1)) ? NATURAL_LETTER_BITS : null;
}

type Piece = { readonly length: number; readonly bits: number };
const NOTHING: Piece = { length: 0, bits: 0 };
const MAX_JUDGED_CHARS = 256;
const RANDOM_BITS_PER_CHAR = 4.5;
const WORD_BITS = 9;
const NATURAL_LETTER_BITS = 2.4;
const SEPARATOR_BITS = 1.5;

/** Something that stood there before costs where it stood and how long it is, nothing more. */
function repetition(text: string, at: number): Piece {
  if (at < 1) return NOTHING;
  const before = text.indexOf(text.slice(at, at + 3));
  if (before >= at || at + 3 > text.length) return NOTHING;
  let length = 3;
  while (at + length < text.length && text[before + length] === text[at + length]) length += 1;
  return { length, bits: 1 + Math.log2(at + 1) + Math.log2(length) / 2 };
}

function word(text: string, at: number, extraBits: number): Piece {
  const found = WORDS.find((one) => text.startsWith(one, at));
  return found === undefined ? NOTHING : { length: found.length, bits: WORD_BITS + extraBits };
}

/** abcd, 4321, aaaa, qwerty. */
function sequence(text: string, at: number): Piece {
  let length = 1;
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (Math.abs(step) <= 1) {
    while (at + length < text.length && text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) {
      length += 1;
    }
  }
  for (const row of KEYBOARD) {
    let along = 4;
    if (!row.includes(text.slice(at, at + along)) || at + along > text.length) continue;
    while (at + along < text.length && row.includes(text.slice(at, at + along + 1))) along += 1;
    length = Math.max(length, along);
  }
  return length < 3 ? NOTHING : { length, bits: 5 + Math.log2(length) };
}

function year(text: string, at: number): Piece {
  return /^(19|20)\d\d/.test(text.slice(at, at + 4)) ? { length: 4, bits: 7 } : NOTHING;
}

function alphabetOf(text: string): number {
  if (/^\d+$/.test(text)) return 10;
  if (/^([\da-f]+|[\dA-F]+)$/.test(text)) return 16;
  const classes: readonly [RegExp, number][] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/\d/, 10],
    [/[-_]/, 2],
    [/[^\w-]/, 30],
  ];
  return Math.max(
    2,
    classes.reduce((sum, [has, size]) => sum + (has.test(text) ? size : 0), 0),
  );
}

const MASKS: readonly RegExp[] = [/^_*openclaw_redacted_*$/, /\[redacted[^\]]*\]/, /^<?redacted>?$/, /^[*•.·]{3,}$/];

const EXAMPLES: readonly RegExp[] = [
  /(^|[^a-z])your([^a-z]|$)/,
  /(^|[^a-z])(replace|change|insert|enter|put|paste|fill)[-_ ]?(me|this|with|your|here|it|in|before)([^a-z]|$)/,
  /(token|key|secret|password|value|goes)[-_ ]here([^a-z]|$)/,
  /(^|[^a-z0-9])x{3,}($|[^a-z0-9])/,
  /^<.*>$/,
  /(\.\.\.|…)$/,
  /placeholder|long-random-string|generated-token/,
  /^(undefined|null|nan|todo|tbd|true|false|\[object object\])$/,
];

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

const KEYBOARD: readonly string[] = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'poiuytrewq',
  'lkjhgfdsa',
  'mnbvcxz',
  '1qaz2wsx3edc4rfv',
  '!@#$%^&*()',
  'qwertzuiop',
  'azertyuiop',
  '1234567890',
];

/** What people build tokens from. Longest first, so that the longest one is taken. */
const WORDS: readonly string[] = `
  openclaw clawdbot moltbot hardshell claw molt lobster crab gateway assistant agent server home local localhost
  password passwd passphrase pass word secret token key auth login admin administrator root user guest owner
  welcome letmein trustno iloveyou sunshine princess football baseball dragon monkey master shadow superman batman
  michael jordan hunter killer flower charlie freedom whatever starwars pokemon cheese computer internet
  hello world test testing demo sample example default temp temporary change changeme replace insert enter this that
  with long random string generated value here your mine very super strong secure security safe private public hidden
  anthropic openai claude telegram discord slack whatsapp signal matrix api bot chat model production prod staging dev
  development company office family house love summer winter spring autumn monday friday january december
  correct horse battery staple the and for not are was one two three four five six seven eight nine zero
  red green blue black white orange purple yellow silver gold dog cat bird fish tiger lion bear wolf eagle
  my is it do go of to in on at by
`
  .trim()
  .split(/\s+/)
  .sort((a, b) => b.length - a.length)
  .filter((one) => one.length > 2);

const COMMON_PAIRS: ReadonlySet<string> = new Set(
  `th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur
   ic ri ro li la el ne me ec ma io ce ch ll be no us il ta om ac ot ad ut em po pe tr di so lo un wa ca co ee oo sh ho
   wo do go am id ow ir et ss tt mo pa ke ly`.split(/\s+/),
);
