// Owns session keys: `agent:<agent>:<rest>`, with `main` as the short name of the owner's own conversation. A key is data
// from outside; it is checked here once and never used as a path. Who talks to whom in which conversation is decided here.
import type { AdmittedMessage } from '../access/admit.ts';
import { misused } from '../platform/errors.ts';
import { sha256 } from '../platform/ids.ts';

export const MAIN_KEY = 'agent:main:main';
const AGENT = 'agent:main';
const GRAMMAR = /^agent:([a-z0-9][a-z0-9_-]{0,63}):([A-Za-z0-9][A-Za-z0-9._:@+-]{0,160})$/;
const MAX_ID_CHARS = 64;

export type SessionKey = { readonly key: string; readonly agentId: string };

export function parseSessionKey(text: string): SessionKey {
  const key = text === 'main' ? MAIN_KEY : text;
  const match = GRAMMAR.exec(key);
  if (!match?.[1]) {
    const message = `"${text.slice(0, 80)}" is not a session key`;
    const fix = 'use `main` or `agent:main:<name>`, where the name has letters, digits and . _ : @ + - only';
    throw misused('BAD_SESSION_KEY', message, fix);
  }
  return { key, agentId: match[1] };
}

export type Scopes = {
  readonly dmScope: string;
  readonly groupScope: string;
  /** `telegram:123` to the name of the person */
  readonly links: ReadonlyMap<string, string>;
};

/** What the conversation of a message depends on. */
export type Speaking = Pick<AdmittedMessage, 'channel' | 'account' | 'chat' | 'chatType' | 'sender' | 'thread'> & {
  readonly principal: Pick<AdmittedMessage['principal'], 'kind'>;
};

/** The conversation of a message from a platform. The owner's direct chats are one; nobody else is ever in it. */
export function keyOfMessage(message: Speaking, { dmScope, groupScope, links }: Scopes): string {
  const { channel, account, chat, chatType, sender, thread = '', principal } = message;
  const isOwner = principal.kind === 'owner';
  const inThread = thread === '' ? '' : `:${channel === 'telegram' ? 'topic' : 'thread'}:${inKey(thread)}`;
  if (chatType !== 'direct') {
    if (groupScope === 'main' && isOwner) return MAIN_KEY;
    return `${AGENT}:${inKey(channel)}:group:${inKey(chat)}${inThread}`;
  }
  if (isOwner) return `${MAIN_KEY}${inThread}`;
  const person = links.get(`${channel}:${sender.id}`);
  if (person !== undefined) return `${AGENT}:direct:${inKey(person)}${inThread}`;
  const peer = `direct:${inKey(sender.id)}${inThread}`;
  if (dmScope === 'per-peer') return `${AGENT}:${peer}`;
  if (dmScope === 'per-account-channel-peer') return `${AGENT}:${inKey(channel)}:${inKey(account)}:${peer}`;
  return `${AGENT}:${inKey(channel)}:${peer}`;
}

/** An id as a part of a key, so that no two ids make the same and none can end its part. */
function inKey(id: string): string {
  const safe = id.replace(/[^A-Za-z0-9.@+-]/gu, (char) => `_${char.codePointAt(0)?.toString(16)}_`);
  if (safe.length <= MAX_ID_CHARS) return safe;
  return `${safe.slice(0, 20)}_${sha256(id).slice(0, 40)}`;
}
