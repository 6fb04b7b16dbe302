// Owns fitting a value into the schema, section by section: defaults filled in, unknown keys judged, accounts spread out.
// It must never keep a value that does not fit.
import { isObject } from '../../platform/json.ts';
import type { Finding } from '../findings.ts';
import { CHANNEL_NAMES, type ChannelName, channelSchema, channels as channelsSection } from '../schema/channels.ts';
import { sectionSchema } from '../schema/tree.ts';
import { type Config, SECTION_NAMES, SECTIONS, type SectionName } from '../schema.ts';
import { judgeUnknown } from '../spell/unknown-keys.ts';
import { derive, oneWorkspace } from './derive.ts';
import { findingsOf, type Issue } from './issues.ts';
import { nearest } from './nearest.ts';

export type Shaped = { readonly config: Config; readonly findings: readonly Finding[] };
export type ShapeOptions = {
  readonly sections?: readonly SectionName[];
  readonly strict?: boolean;
  /** what ~ stands for */
  readonly home: string;
};

type Tree = Record<string, unknown>;
type Checker = {
  safeParse(
    value: unknown,
    context: { jitless: true },
  ): { success: boolean; data?: unknown; error?: { issues: readonly Issue[] } };
};

/** When a finding is an error, the section it lies in has its defaults. */
export function shape(value: unknown, options: ShapeOptions): Shaped {
  const { sections = SECTION_NAMES, strict = false, home } = options;
  const findings: Finding[] = [];
  if (!isObject(value)) {
    findings.push({
      level: 'error',
      code: 'bad-value',
      key: '',
      message: 'the top level is not an object { }',
      fix: 'begin the file with { and end it with }',
    });
  }
  const root = isObject(value) ? value : {};
  for (const [key, item] of Object.entries(root)) {
    if (key !== '$schema' && !Object.hasOwn(SECTIONS, key)) findings.push(...judgeUnknown([key], item, strict));
  }
  const config: Tree = {};
  for (const name of sections) {
    const make = (into: Finding[]): unknown => {
      const made = section(name, root[name], strict, into);
      into.push(...derive(name, made, home));
      return made;
    };
    if (root[name] === undefined) laterOf(config, name, () => make([]));
    else config[name] = make(findings);
  }
  if (isObject(root['security']) && sections.includes('agents')) {
    const { security, agents } = config as Config;
    findings.push(...oneWorkspace(security, agents));
  }
  return { config: config as Config, findings };
}

/** What nobody has written is made when it is asked for, since most of it never is. */
function laterOf(config: Tree, name: string, make: () => unknown): void {
  Object.defineProperty(config, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(config, name, { value, writable: true, configurable: true, enumerable: true });
      return value;
    },
    set(value) {
      Object.defineProperty(config, name, { value, writable: true, configurable: true, enumerable: true });
    },
  });
}

function section(name: SectionName, value: unknown, strict: boolean, findings: Finding[]): unknown {
  if (name === 'channels') return channels(value, strict, findings);
  return fit(sectionSchema(name) as unknown as Checker, value, [name], strict, findings);
}

function channels(value: unknown, strict: boolean, findings: Finding[]): unknown {
  const present: Tree = isObject(value) ? { ...value } : {};
  for (const key of Object.keys(present)) {
    if (key === 'defaults' || CHANNEL_NAMES.includes(key as ChannelName)) continue;
    findings.push(unknownChannel(key));
    delete present[key];
  }
  const defaults = isObject(present['defaults']) ? present['defaults'] : {};
  const names = Object.keys(present).filter((key): key is ChannelName => key !== 'defaults');
  for (const name of names) present[name] = withDefaults(present[name], defaults);
  const schema = channelsSection(names);
  const config = fit(schema, isObject(value) ? present : value, ['channels'], strict, findings) as Tree;
  for (const name of names) {
    const channel = config[name];
    if (isObject(channel)) channel['accounts'] = accounts(name, present[name], strict, findings);
  }
  return config;
}

/** Each account with all that it inherits from its channel. */
function accounts(name: ChannelName, channel: unknown, strict: boolean, findings: Finding[]): Tree {
  if (!isObject(channel) || !isObject(channel['accounts'])) return {};
  const { accounts: entries, ...inherited } = channel;
  const made: Tree = {};
  for (const [id, own] of Object.entries(entries as Tree)) {
    const merged = isObject(own) ? { ...inherited, ...own } : own;
    const at = ['channels', name, 'accounts', id];
    const account = fit(channelSchema(name), merged, at, strict, findings);
    // One that does not fit is an error already.
    if (isObject(account)) made[id] = account;
  }
  return made;
}

function withDefaults(channel: unknown, { groupPolicy }: Tree): unknown {
  if (!isObject(channel) || groupPolicy === undefined || channel['groupPolicy'] !== undefined) return channel;
  return { ...channel, groupPolicy };
}

function unknownChannel(name: string): Finding {
  const close = nearest(name, CHANNEL_NAMES);
  return {
    level: 'error',
    code: 'unknown-channel',
    key: `channels.${name}`,
    message: `there is no channel "${name}"${close ? `, did you mean "${close}"?` : `; there are ${CHANNEL_NAMES.join(', ')}`}`,
    fix: close ? `write channels.${close}` : `remove channels.${name}`,
  };
}

/** Unknown keys that may be ignored are taken out, and the rest is tried again. */
function fit(schema: Checker, value: unknown, at: readonly string[], strict: boolean, findings: Finding[]): unknown {
  // One parse each: compiling the schema first, as zod does by default, costs more than it saves.
  const first = schema.safeParse(value, { jitless: true });
  if (first.success) return first.data;
  const input = structuredClone(value);
  const found: Finding[] = [];
  for (const issue of first.error?.issues ?? []) {
    const path = [...at, ...issue.path.map(String)];
    if (issue.code !== 'unrecognized_keys') {
      found.push(...findingsOf({ ...issue, path }, rooted(at, value)));
      continue;
    }
    const parent = issue.path.reduce<unknown>((node, key) => (node as Tree | undefined)?.[String(key)], input);
    for (const key of issue.keys ?? []) {
      found.push(...judgeUnknown([...path, key], isObject(parent) ? parent[key] : undefined, strict));
      if (isObject(parent)) delete parent[key];
    }
  }
  findings.push(...found);
  const second = schema.safeParse(input, { jitless: true });
  return second.success ? second.data : schema.safeParse(undefined, { jitless: true }).data;
}

const rooted = (at: readonly string[], value: unknown): unknown =>
  at.reduceRight<unknown>((node, key) => ({ [key]: node }), value);
