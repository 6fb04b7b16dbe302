// Owns how values change when a spelling is read as its canonical key. Pure functions; what they do not know they pass
// on unchanged, so that the schema refuses it by its canonical name.
import { isIP, isLoopback } from '../ip.ts';
import type { Change } from '../spellings.ts';

export type Assignment = { readonly to: string; readonly value: unknown };
/** null: nothing to change here. */
export type Changed = { readonly set: readonly Assignment[]; readonly note?: string } | null;

export const CHANGES: Readonly<Record<Change, (value: unknown, to: string) => Changed>> = {
  address,
  'auth-enabled': (value, to) => {
    // Said as a mode, so that it wins over a "none" beside it.
    if (value === true) return { set: [{ to, value: 'token' }], note: 'authentication is always on' };
    return value === false ? { set: [{ to, value: 'none' }] } : { set: [{ to, value }] };
  },
  'workspace-access': (value, to) => renamed(value, to, ACCESS),
  network: (value, to) => renamed(value, to, NETWORK),
  megabytes: (value, to) => ({ set: [{ to, value: typeof value === 'number' ? `${value}m` : value }] }),
  'provider-type': (value, to) => renamed(value, to, PROVIDER_TYPES),
  'shell-mode': (value, to) => renamed(value, to, SHELL_MODES),
  'exec-security': (value, to) => renamed(value, to, []),
  'exec-ask': (value, to) => {
    if (value === 'off') return { set: [], note: 'who is not asked is refused, unless the mode says otherwise' };
    return renamed(value, to, ASK);
  },
  senders: (value, to) => ({
    set: [
      { to, value },
      { to: to.replace(/allowFrom$/, 'dmPolicy'), value: 'allowlist' },
    ],
    note: 'only these senders are answered',
  }),
  'direct-enabled': (value, to) => {
    if (value === true) return { set: [], note: 'direct messages are on unless dmPolicy is "disabled"' };
    return value === false ? { set: [{ to, value: 'disabled' }] } : { set: [{ to, value }] };
  },
  'model-name': (value, to) => {
    if (typeof value === 'string') return { set: [{ to, value }] };
    return to.endsWith('.primary') ? { set: [{ to: to.slice(0, -'.primary'.length), value }] } : null;
  },
  'queue-mode': (value, to) => renamed(value, to, QUEUE_MODES),
  tiers,
};

/** A list of things with the tier of each, as lists by tier. One that makes no sense is left for the schema to refuse. */
function tiers(value: unknown, to: string): Changed {
  if (!Array.isArray(value)) return null;
  const lists: Record<string, string[]> = { high: [], medium: [], low: [] };
  for (const one of value as Record<string, unknown>[]) {
    const { tier, paths = [], connectors = [], senders = [], ...rest } = one ?? {};
    const list = lists[String(tier)];
    const words = [paths, connectors, senders].map((given) => (Array.isArray(given) ? given : [given]));
    if (!list || Object.keys(rest).length > 0 || words.flat().some((word) => typeof word !== 'string')) return null;
    list.push(...['', 'connector:', 'sender:'].flatMap((kind, n) => (words[n] ?? []).map((word) => `${kind}${word}`)));
  }
  const set = Object.entries(lists).flatMap(([tier, list]) =>
    list.length > 0 ? [{ to: `${to}.${tier}`, value: list }] : [],
  );
  return { set: set.length > 0 ? set : [{ to, value: {} }] };
}

type Names = readonly (readonly [unknown, string])[];
const ACCESS: Names = [
  ['readonly', 'ro'],
  ['read-only', 'ro'],
  ['readwrite', 'rw'],
  ['read-write', 'rw'],
  [false, 'none'],
  [true, 'rw'],
];
const NETWORK: Names = [
  [false, 'none'],
  ['off', 'none'],
  [true, 'allowlist'],
];
const PROVIDER_TYPES: Names = [
  ['anthropic', 'anthropic-messages'],
  ['openai', 'openai-responses'],
  ['openai-compatible', 'openai-completions'],
  ['openai-chat', 'openai-completions'],
  ['ollama', 'openai-completions'],
];
const SHELL_MODES: Names = [
  ['denied', 'deny'],
  ['disabled', 'deny'],
  ['off', 'deny'],
  ['none', 'deny'],
  ['confirm', 'ask'],
  ['prompt', 'ask'],
  ['all', 'full'],
  ['any', 'full'],
  ['allow', 'full'],
];
const ASK: Names = [
  ['on-miss', 'ask'],
  ['always', 'ask'],
];
const QUEUE_MODES: Names = [
  ['collect', 'followup'],
  ['queue', 'followup'],
];

function renamed(value: unknown, to: string, names: Names): Changed {
  const found = names.find(([from]) => from === value)?.[1];
  if (found === undefined) return { set: [{ to, value }] };
  return { set: [{ to, value: found }], note: `${JSON.stringify(value)} means "${found}"` };
}

/** An address where a word is expected: loopback stays loopback, a wildcard is every network. */
function address(value: unknown, to: string): Changed {
  if (typeof value !== 'string') return { set: [{ to, value }] };
  const host = value
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (isLoopback(host) || host === 'local')
    return { set: [{ to, value: 'loopback' }], note: `"${value}" means "loopback"` };
  if (['0.0.0.0', '::', '*', '::0', '0:0:0:0:0:0:0:0'].includes(host)) {
    return { set: [{ to, value: 'lan' }], note: `"${value}" means "lan", every network` };
  }
  if (!isIP(host)) return { set: [{ to, value }] };
  const set = [
    { to, value: 'custom' },
    { to: 'gateway.customBindHost', value: host },
  ];
  return { set, note: `"${value}" means "custom" with customBindHost` };
}
