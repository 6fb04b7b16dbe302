// Owns what a message of the gateway's own clients has to be before it is accepted: for an agent that exists, of a size
// that can be read, in a queue that has room. Part of the composition; a refused message leaves nothing behind.
import { WEBCHAT, WEBCHAT_ACCOUNT } from './channels/webchat.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Core } from './core.ts';
import type { Backend, SendInput } from './gateway/backend.ts';
import type { PanicDesk } from './panicking.ts';
import { HardshellError } from './platform/errors.ts';
import { parseSessionKey } from './sessions/key.ts';
import { label } from './store/label.ts';

export type SendPorts = Pick<Core, 'lanes' | 'inbox' | 'intake'> & {
  readonly workspaceDir: string;
  readonly config: () => LoadedConfig;
  readonly now: () => number;
  readonly stopping: () => boolean;
  readonly panic: Pick<PanicDesk, 'state' | 'refusal' | 'raise' | 'lift'>;
};

/** The only agent so far. */
export const AGENT = 'main';
const MAX_MESSAGE_CHARS = 200_000;

export function createSend(ports: SendPorts): Backend['chat']['send'] {
  const { lanes, intake, inbox, now } = ports;

  return async (input) => {
    const { key, agentId } = parseSessionKey(input.sessionKey);
    if (ports.stopping()) throw stopping();
    if (/^\s*\/panic\s*$/i.test(input.message)) {
      ports.panic.raise(input.actor.clientId, '/panic');
      throw forGood(ports.panic.refusal() ?? stopping());
    }
    const refusal = ports.panic.refusal();
    if (refusal) throw refusal;
    if (agentId !== AGENT) throw unknownAgent(agentId);
    refuseOddText(input.message, ports.workspaceDir);
    refuseWords(input.message.trim());
    const { messages, agents } = ports.config().config;
    const waiting = lanes.waitingIn(key);
    const isNew = inbox.find(WEBCHAT, WEBCHAT_ACCOUNT, input.idempotencyKey) === null;
    if (isNew && waiting >= messages.queue.cap) throw queueFull(key, waiting);
    const acceptedAtMs = now();
    const acceptance = intake.accept(inboundOf(input, key, acceptedAtMs), {
      sessionKey: key,
      runId: input.idempotencyKey,
      queueMode: input.queueMode ?? messages.queue.mode,
      timeoutMs: input.timeoutMs ?? agents.defaults.timeoutSeconds * 1_000,
    });
    const receipt = { runId: input.idempotencyKey, sessionKey: key, acceptedAtMs };
    if (acceptance.status === 'declined') {
      const { code, reason, fix } = acceptance;
      throw new HardshellError({ code, message: reason, fix, httpStatus: 403 });
    }
    if (acceptance.status === 'duplicate') {
      const { receivedAtMs, state } = acceptance.row;
      return { ...receipt, acceptedAtMs: receivedAtMs, status: state === 'queued' ? 'in_flight' : 'done' };
    }
    return { ...receipt, status: lanes.activeRunIds(key)[0] === input.idempotencyKey ? 'started' : 'queued' };
  };
}

/** Whoever holds a connection with write scope is the owner, so the words are the owner's. */
const inboundOf = (input: SendInput, key: string, receivedAtMs: number) => ({
  channel: WEBCHAT,
  account: WEBCHAT_ACCOUNT,
  chat: key,
  messageId: input.idempotencyKey,
  chatType: 'direct' as const,
  sender: { id: input.actor.deviceId ?? input.actor.clientId },
  assurance: 'operator' as const,
  text: input.message,
  receivedAtMs,
  label: label('owner', 'owner', `${WEBCHAT}:${key}`),
});

function refuseOddText(text: string, workspaceDir: string): void {
  if (text.trim() === '') {
    throw new HardshellError({ code: 'MESSAGE_EMPTY', message: 'the message is empty', fix: 'write something' });
  }
  if (text.length > MAX_MESSAGE_CHARS) {
    throw new HardshellError({
      code: 'MESSAGE_TOO_LARGE',
      message: `the message has ${text.length} characters, at most ${MAX_MESSAGE_CHARS} are taken`,
      fix: `put it into a file in ${workspaceDir} and name the file`,
      httpStatus: 413,
    });
  }
}

/** What a chat of a messenger understands. A model that was given it could only say that it had done it. */
function refuseWords(text: string): void {
  const [, word = '', which = ''] =
    /^\/(allowance|undo|elevated|approve|deny)(?:\s+\$?(off|on|yes|[\w.-]{1,40}))?\b.{0,20}$/i.exec(text) ?? [];
  const name = word.toLowerCase();
  if (name === '') return;
  const cap = which.toLowerCase() === 'off' ? 'unset budget.daily.usd' : `set budget.daily.usd ${which || 2}`;
  const does = { allowance: `config ${cap}`, undo: 'undo', elevated: `elevated ${which || 'on'}` }[name];
  throw new HardshellError({
    code: 'COMMAND_ELSEWHERE',
    message: `/${name} is understood in the chats of messengers; nothing was sent`,
    fix: `openclaw ${does ?? `approvals ${name} ${which || 'CODE'}`}`,
  });
}

/** Whoever is told to try again says it once more when it was lifted. */
const forGood = ({ code, message, fix = '' }: HardshellError): HardshellError =>
  new HardshellError({ code, message, fix, httpStatus: 409 });

const stopping = (): HardshellError =>
  new HardshellError({
    code: 'SHUTTING_DOWN',
    message: 'the gateway is stopping',
    fix: 'send it again when it is back',
    httpStatus: 503,
  });

const unknownAgent = (id: string): HardshellError =>
  new HardshellError({
    code: 'UNKNOWN_AGENT',
    message: `there is no agent "${id}"`,
    fix: `use agent:${AGENT}:<name>`,
    httpStatus: 404,
  });

const queueFull = (key: string, waiting: number): HardshellError =>
  new HardshellError({
    code: 'QUEUE_FULL',
    message: `${waiting} messages already wait in ${key}`,
    fix: 'wait for the running turn, or stop it (chat.abort)',
    httpStatus: 429,
  });
