// Owns the careful reading of what a gateway sends: payloads, transcript messages, approvals. A field that is missing
// or odd becomes a harmless default, so that another release of the gateway is never a crash here.
import type { SessionRow } from '../../gateway/backend.ts';
import { isObject } from '../../platform/json.ts';
import type { Approval, Grant } from '../../policy/approvals/approval.ts';
import { parseSessionKey } from '../../sessions/key.ts';
import type { Block } from '../../store/transcripts.ts';
import type { TokenCount } from '../../store/usage.ts';

export type Json = Readonly<Record<string, unknown>>;

export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** `main` and `holiday` are short for `agent:main:main` and `agent:main:holiday`. */
export function canonicalKey(key: string): string {
  // Checked here: the gateway can only answer in the words of its protocol, and with no command line to mend.
  return parseSessionKey(key.includes(':') ? key : `agent:main:${key}`).key;
}
/** The way back: what a person would type. */
export const shortKey = (key: string): string =>
  /^agent:main:[^:]+$/.test(key) ? key.slice('agent:main:'.length) : key;

export type Message = {
  /** position in the session from 1; 0 when the gateway did not say */
  readonly seq: number;
  readonly role: 'user' | 'assistant' | 'tool' | 'notice';
  readonly blocks: readonly Block[];
  readonly atMs: number;
  readonly runId: string;
  readonly model: string;
  readonly tokens: TokenCount | null;
  readonly stopReason: string;
};

const ROLES: Readonly<Record<string, Message['role']>> = {
  user: 'user',
  assistant: 'assistant',
  toolResult: 'tool',
  system: 'notice',
};

export function readMessage(value: unknown): Message | null {
  const message = objectOf(value);
  const role = ROLES[textOf(message['role'])];
  if (role === undefined) return null;
  const place = objectOf(message['__openclaw']);
  return {
    seq: numberOf(place['seq']) ?? 0,
    role,
    blocks: readBlocks(message['content']),
    atMs: numberOf(message['timestamp']) ?? 0,
    runId: textOf(place['runId']),
    model: modelOf(message, 'provider'),
    tokens: readTokens(message['usage']),
    stopReason: textOf(message['stopReason']),
  };
}

/** `provider/model`, which the wire splits in two. */
export function modelOf(value: Json, providerField: string): string {
  const [provider, model] = [textOf(value[providerField]), textOf(value['model'])];
  return provider === '' || model === '' || model.startsWith(`${provider}/`) ? model : `${provider}/${model}`;
}

function readBlocks(content: unknown): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return listOf(content).flatMap((value): Block[] => {
    const block = objectOf(value);
    const name = textOf(block['name']);
    if (block['type'] === 'text') return [{ type: 'text', text: textOf(block['text']) }];
    if (block['type'] === 'toolCall') {
      return [{ type: 'toolCall', id: textOf(block['id']), name, arguments: block['arguments'] }];
    }
    if (block['type'] !== 'toolResult') return [];
    const text = textOf(block['text']);
    return [
      { type: 'toolResult', toolCallId: textOf(block['toolCallId']), name, text, isError: block['isError'] === true },
    ];
  });
}

export function readTokens(value: unknown): TokenCount | null {
  if (value === null || typeof value !== 'object') return null;
  const count = (name: string): number => numberOf(objectOf(value)[name]) ?? 0;
  return {
    input: count('input'),
    output: count('output'),
    cacheRead: count('cacheRead'),
    cacheWrite: count('cacheWrite'),
  };
}

/** What was said, without the tools. */
export const wordsOf = (message: Message): string =>
  message.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n');

export function readApproval(value: unknown): Approval | null {
  const row = objectOf(value);
  const id = textOf(row['id']);
  if (id === '') return null;
  const [asker, answered] = [objectOf(row['asker']), objectOf(row['answered'])];
  const words = (given: unknown): string[] => listOf(given).map(textOf);
  const of = (name: string): string => textOf(row[name]);
  return {
    ...{ id, code: of('code'), runId: of('runId'), callId: of('callId'), sessionKey: of('sessionKey') },
    ...{ agentId: of('agentId'), tool: of('tool'), reason: of('reason'), integrity: of('integrity') },
    asker: {
      kind: oneOf(asker['kind'], ['owner', 'paired', 'guest', 'member']),
      ...{ id: textOf(asker['id']), channel: textOf(asker['channel']), account: textOf(asker['account']) },
      ...{ chat: textOf(asker['chat']), sender: textOf(asker['sender']) },
      place: oneOf(asker['place'], ['dm', 'group', 'channel']),
    },
    facts: listOf(row['facts']).map((fact) => ({
      name: textOf(objectOf(fact)['name']),
      value: textOf(objectOf(fact)['value']),
    })),
    ...{ marks: words(row['marks']), effects: words(row['effects']), sources: words(row['sources']) },
    where: oneOf(row['where'], ['sandbox', 'host']),
    ...{ always: readAlways(row['always']), task: readAlways(row['task']) },
    ...{ line: numberOf(row['line']) ?? 1, lines: numberOf(row['lines']) ?? 1 },
    createdAtMs: numberOf(row['createdAtMs']) ?? 0,
    expiresAtMs: numberOf(row['expiresAtMs']) ?? 0,
    state: oneOf(row['state'], ['pending', 'allowed', 'denied', 'expired', 'used']),
    answered:
      textOf(answered['decision']) === ''
        ? null
        : {
            decision: oneOf(answered['decision'], ['expired', 'deny', 'allow-once', 'allow-task', 'allow-always']),
            by: textOf(answered['by']),
            atMs: numberOf(answered['atMs']) ?? 0,
          },
  };
}

function readAlways(value: unknown): Approval['always'] {
  const { kind, pattern, shown } = objectOf(value);
  if (textOf(pattern) === '') return null;
  return { kind: textOf(kind), pattern: textOf(pattern), shown: textOf(shown) };
}

export function readGrant(value: unknown): Grant | null {
  const row = objectOf(value);
  const of = (name: string): string => textOf(row[name]);
  if (of('id') === '') return null;
  return {
    ...{ id: of('id'), agentId: of('agentId'), kind: of('kind'), pattern: of('pattern'), shown: of('shown') },
    ...{ createdAtMs: numberOf(row['createdAtMs']) ?? 0, expiresAtMs: numberOf(row['expiresAtMs']) ?? 0 },
    ...{ createdBy: of('createdBy'), uses: numberOf(row['uses']) ?? 0, lastUsedAtMs: numberOf(row['lastUsedAtMs']) },
  };
}

/** What a newer gateway may say, and this does not know, is read as the first. */
const oneOf = <T extends string>(value: unknown, known: readonly [T, ...T[]]): T =>
  known.find((one) => one === value) ?? known[0];

type SessionLine = Pick<SessionRow, 'key' | 'title' | 'channel' | 'model' | 'messageCount'> & {
  readonly updatedAtMs: number;
  readonly running: boolean;
};

export function readSessions(value: unknown): { readonly sessions: readonly SessionLine[]; readonly total: number } {
  const page = objectOf(value);
  const sessions = listOf(page['sessions']).map((entry) => readSession(entry));
  return { sessions, total: numberOf(page['totalCount']) ?? sessions.length };
}

function readSession(value: unknown): SessionLine {
  const row = objectOf(value);
  const title = ['displayName', 'lastMessagePreview'].map((name) => textOf(row[name]));
  return {
    key: textOf(row['key']),
    title: title.find((text) => text !== '') ?? '',
    channel: textOf(row['channel']),
    model: modelOf(row, 'modelProvider'),
    messageCount: numberOf(row['messageCount']) ?? 0,
    updatedAtMs: numberOf(row['updatedAt']) ?? 0,
    running: row['hasActiveRun'] === true,
  };
}
