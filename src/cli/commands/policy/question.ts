// Owns how a question about a call is put without a gateway: who would ask and from where, by the gate that judges messages,
// and what the call would do. It decides nothing: access/ and policy/ answer.
import { type Facts, type Judgement, judge, type Known, type PersonGrant } from '../../../access/gate.ts';
import { type Rules, readRules } from '../../../access/rules.ts';
import { errorsIn, refusal } from '../../../config/findings.ts';
import { inspectConfig } from '../../../config/inspect.ts';
import { resolvePaths } from '../../../config/paths.ts';
import { CHANNEL_NAMES, type ChannelName } from '../../../config/schema/channels.ts';
import type { Config } from '../../../config/schema.ts';
import { personOf } from '../../../config/shape/people.ts';
import { ALIASES, COMING, isServerTool, TOOL_NAMES } from '../../../config/shape/tool-words.ts';
import { type Zones, zonesOf } from '../../../config/zones.ts';
import { readPageUrl } from '../../../net/web/page-url.ts';
import { type HardshellError, misused } from '../../../platform/errors.ts';
import type { ToolCall } from '../../../policy/decide.ts';
import type { Effect } from '../../../policy/effects.ts';
import { askingOf } from '../../../policy/judges.ts';
import { loadEnvFile } from '../../../secrets/env-file.ts';
import { label } from '../../../store/label.ts';
import type { Grant } from '../../../store/people/pairing.ts';
import { readGrants } from '../../../store/people/read-grants.ts';
import type { Context } from '../../context.ts';
import { nearestWord } from '../../suggest.ts';

/** As it is typed. */
export type Asked = {
  readonly tool: string;
  readonly channel?: string;
  readonly chat?: string;
  readonly sender?: string;
  readonly place?: string;
  readonly guild?: string;
  readonly account?: string;
  readonly agent?: string;
  readonly command?: string;
  readonly path?: string;
  readonly to?: string;
  readonly url?: string;
};

export type Ground = {
  readonly config: Config;
  readonly rules: Rules;
  /** where files may be read and written */
  readonly zones: Zones;
  readonly grants: readonly Grant[];
  readonly notes: readonly string[];
};
/** `refused`: no message of theirs starts a turn, so nothing that follows is ever asked. */
export type Question = {
  readonly call: ToolCall;
  readonly effects: readonly Effect[];
  readonly standing: string;
  readonly refused: Extract<Judgement, { allow: false }> | null;
  readonly notes: readonly string[];
};

/** The settings as they stand; references to secrets are not followed, since nothing here depends on one. */
export function openGround({ env: processEnv }: Context): Ground {
  const paths = resolvePaths(processEnv);
  const { env } = loadEnvFile(paths.stateDir, processEnv);
  const found = inspectConfig(paths, env, { rules: true, resolveSecret: () => 'not asked for' });
  if (found.config === null || errorsIn(found.findings).length > 0) throw refusal(found.path, found.findings);
  const grants = readGrants(paths.databasePath);
  const { security, tools, agents } = found.config;
  const workspace = agents.defaults.workspace ?? paths.workspaceDir;
  return {
    config: found.config,
    rules: readRules(found.config),
    zones: zonesOf({ security, workspaceOnly: tools.fs.workspaceOnly }, { ...paths, workspace }),
    grants: grants ?? [],
    notes: grants === null ? ['who was paired could not be read, so only the settings are looked at'] : [],
  };
}

export function questionOf({ config, rules, grants }: Ground, asked: Asked): Question {
  const { name, notes } = toolOf(asked.tool);
  const agentId = asked.agent ?? 'main';
  if (agentId !== 'main' && !Object.hasOwn(config.agents.entries, agentId))
    throw usage(
      `there is no agent "${agentId}"`,
      `one of ${['main', ...Object.keys(config.agents.entries)].join(', ')}`,
    );
  const { speaker, standing, refused } = speakerOf(asked, rules, grants);
  const args = { command: asked.command, path: asked.path, to: asked.to, url: asked.url };
  const { principal, place, channel, chat } = speaker;
  // Your direct chats are one conversation; every other chat is one of its own.
  const isMain = principal.kind === 'owner' && place === 'dm';
  const sessionKey = `agent:${agentId}:${isMain ? 'main' : `${channel}:${place}:${chat}`}`;
  const ids = { turnId: 'explained', sessionKey, callId: 'explained' };
  const call: ToolCall = { ...ids, agentId, speaker, name, args, context: label('owner', 'owner') };
  const where = askingOf(config, call).box?.isBoxed === false ? 'host' : 'sandbox';
  return { call, effects: effectsOf(name, asked, where), standing, refused, notes };
}

function toolOf(written: string): { name: string; notes: string[] } {
  const plain = written.trim().toLowerCase();
  const name = Object.hasOwn(ALIASES, plain) ? (ALIASES[plain] ?? plain) : plain;
  if (isServerTool(name)) return { name, notes: [OF_SERVER] };
  const isGroup = name.startsWith('group:');
  if (isGroup || !TOOL_NAMES.includes(name)) {
    const close = isGroup ? undefined : nearestWord(name, TOOL_NAMES);
    const what = isGroup ? `"${written}" is a group of tools` : `there is no tool "${written}"`;
    throw usage(what, close ? `did you mean ${close}?` : `one of ${TOOL_NAMES.join(', ')}`);
  }
  const absent = COMING.includes(name) ? [`this version has no ${name} yet; its rules hold from its first day`] : [];
  return { name, notes: name === 'web_fetch' ? [...absent, NAMED] : absent };
}

const OF_SERVER = 'it has to be approved (openclaw mcp list), and asks each time unless mcp.servers says what it does';
const NAMED = 'an address that the owner did not name asks all the same';

type Speaking = Pick<Question, 'standing' | 'refused'> & { readonly speaker: ToolCall['speaker'] };

function speakerOf(asked: Asked, rules: Rules, grants: readonly Grant[]): Speaking {
  const { channel, account = 'default', guild, place: named } = asked;
  if (named !== undefined && !isPlace(named))
    throw usage(`--place "${named}" is no place`, 'one of dm, group, channel');
  if (channel === undefined || channel === 'webchat') {
    const isElsewhere = [asked.sender, guild, named === 'dm' ? undefined : named].some((one) => one !== undefined);
    if (isElsewhere || (asked.chat !== undefined && channel === undefined))
      throw usage('an id or a place says nothing without its channel', 'add --channel, such as --channel telegram');
    const speaker = {
      ...{ channel: 'webchat', account, chat: asked.chat ?? 'main', sender: 'owner' },
      place: 'dm',
    } as const;
    return { speaker: { ...speaker, principal: OWNER }, standing: 'owner', refused: null };
  }
  const known = CHANNEL_NAMES.find((one) => one === channel);
  if (known === undefined) {
    const close = nearestWord(channel, CHANNEL_NAMES);
    throw usage(
      `there is no channel "${channel}"`,
      close ? `did you mean ${close}?` : `one of ${CHANNEL_NAMES.join(', ')}`,
    );
  }
  const chat = asked.chat?.replace(new RegExp(`^${known}:`), '');
  const place = placeOf(known, asked, chat);
  const written = asked.sender ?? (place === 'dm' ? chat : undefined);
  const you = [...rules.owners].find((one) => one.startsWith(`${known}:`))?.slice(known.length + 1);
  const sender = written === undefined ? (you ?? 'owner') : idOf(known, written);
  const where = { channel: known, account, chat: chat ?? sender, sender };
  if (written === undefined)
    return { speaker: { ...where, place, principal: OWNER }, standing: 'owner', refused: null };
  const facts: Facts = {
    ...where,
    within: guild === undefined ? [] : [guild, where.chat],
    isDirect: place === 'dm',
    ...{ isBot: false, roles: [], assurance: 'platform', isMentioned: () => true },
  };
  const load = { nowMs: Date.now(), lastMinute: 0, isLooping: false, tokensToday: 0, messagesToday: 0, usdToday: 0 };
  const judgement = judge(facts, rules, knownOf(facts, grants), load);
  const stranger = { kind: 'guest', id: `${known}:${sender}`, limits: null } as const;
  if (!judgement.allow)
    return { speaker: { ...where, place, principal: stranger }, standing: 'stranger', refused: judgement };
  const { standing, limits } = judgement;
  const principal = standing === 'owner' ? OWNER : { kind: standing, id: `${known}:${sender}`, limits };
  return { speaker: { ...where, place, principal }, standing, refused: null };
}
const OWNER = { kind: 'owner', id: 'owner', limits: null } as const;

const isPlace = (place: string): place is 'dm' | 'group' | 'channel' => ['dm', 'group', 'channel'].includes(place);

function placeOf(channel: ChannelName, { place, guild }: Asked, chat: string | undefined): 'dm' | 'group' | 'channel' {
  if (place !== undefined && isPlace(place)) return place;
  if (guild !== undefined) return 'channel';
  if (chat === undefined) return 'dm';
  // Whatever is no direct chat of Discord is a room of a server.
  if (channel === 'discord') return 'channel';
  if (channel === 'slack') return chat.startsWith('D') ? 'dm' : 'group';
  // A direct chat has the id of the person; on platforms where it has one of its own, --place says it.
  const person = personOf(channel, chat);
  return 'id' in person ? 'dm' : 'group';
}

function idOf(channel: ChannelName, written: string): string {
  const person = personOf(channel, written);
  if ('id' in person && person.id !== '*') return person.id;
  throw usage(
    `--sender "${written}" ${'why' in person ? person.why : 'is nobody in particular'}`,
    'where' in person ? person.where : 'name one person',
  );
}

function knownOf({ channel, account, chat, within, isDirect, sender }: Facts, grants: readonly Grant[]): Known {
  const find = (kind: string, id: string) =>
    grants.find((one) => one.channel === channel && one.account === account && one.kind === kind && one.subject === id);
  const person = find('person', sender);
  const limits = person?.limits ? (JSON.parse(person.limits) as PersonGrant['limits']) : null;
  // Whoever approved a server approved what lies in it.
  const groups = isDirect ? [] : [chat, ...within].map((id) => find('group', id));
  return {
    person: person ? { role: person.role as PersonGrant['role'], untilMs: person.untilMs, limits } : null,
    group: groups.find((one) => one !== undefined) ?? null,
  };
}

/** What the tools themselves would declare; without an argument there is nothing to judge but the tool. */
function effectsOf(name: string, { command, path, to, url }: Asked, where: 'sandbox' | 'host'): Effect[] {
  if (name === 'exec' && command !== undefined) return [{ kind: 'run', command, cwd: '.', where }];
  if (name === 'process' && command !== undefined) return [{ kind: 'process', id: 'explained', input: command }];
  if (path !== undefined && (name === 'read' || name === 'ls')) return [{ kind: 'read', path }];
  if (path !== undefined && ['write', 'edit', 'apply_patch'].includes(name)) return [{ kind: 'write', path }];
  if (name === 'message' && to !== undefined) return [{ kind: 'message', to, text: '' }];
  if (name === 'mail' && to !== undefined) return [{ kind: 'mail', to: [to], text: '' }];
  if ((name === 'web_fetch' || name === 'browser') && url !== undefined) {
    const read = readPageUrl(url);
    if ('problem' in read) throw usage(`--url is no address that is fetched: ${read.problem}`, 'write it whole');
    const { href } = read.url;
    return [name === 'browser' ? { kind: 'browse', act: 'open', url: href, what: '' } : { kind: 'fetch', url: href }];
  }
  if (isServerTool(name)) return [{ kind: 'call', server: '', tool: name }];
  const given = Object.entries({ command, path, to, url }).find(([, value]) => value !== undefined)?.[0];
  if (given === undefined) return name === 'web_search' ? [{ kind: 'search', query: '' }] : [];
  throw usage(`${name} takes no ${given}`, `leave --${given} out`);
}

export const usage = (message: string, fix: string): HardshellError => misused('USAGE', message, fix);
