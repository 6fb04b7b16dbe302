// Owns the wiring of the way in: access, intake, the conversation of a message, what a chat may command, and that a right
// which is taken ends what runs on it. Part of the composition; who may talk is decided in access/.
import { createAccess } from './access/access.ts';
import type { AdmittedMessage, Speaking } from './access/admit.ts';
import { ASKS, type Elevation } from './access/elevated/elevation.ts';
import { MAX_MESSAGE_CHARS } from './access/facts.ts';
import { lostText, post } from './access/letters.ts';
import { MAX_QUOTE_CHARS, type Said } from './access/shown.ts';
import { type Command, HELP_TEXT, PANIC_TEXT, START_TEXT, whoamiText } from './access/slash.ts';
import type { createAsking } from './asking/chats.ts';
import type { GroupChange, InboundMessage, Settled } from './channels/channel.ts';
import { createIntake, type Delivery } from './channels/intake.ts';
import type { Config } from './config/schema.ts';
import type { Hide } from './hiding.ts';
import type { Journal } from './journal/journal.ts';
import type { Log } from './log/log.ts';
import type { UndoInChat } from './ops/checkpoints/chat.ts';
import { newId } from './platform/ids.ts';
import type { Directory } from './sessions/directory.ts';
import { keyOfMessage, parseSessionKey } from './sessions/key.ts';
import { ABORT, type createLanes, isSameSpeaker } from './sessions/lanes.ts';
import type { Waiting } from './sessions/turn.ts';
import type { Inbox } from './store/inbox.ts';
import type { Store } from './store/open.ts';
import type { Outbox, OutboxRow } from './store/outbox.ts';

export type DoorPorts = {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly log: Log;
  readonly hide: Hide;
  readonly lanes: ReturnType<typeof createLanes>;
  readonly directory: Directory;
  readonly config: () => Config;
  /** of pairing codes and of messages that are held */
  readonly pairingKey: () => Buffer;
  readonly now: () => number;
  deliver(reply: OutboxRow): void;
  readonly undo?: UndoInChat;
  /** a run is known from here on */
  accepted(runId: string): void;
  /** rights were given or taken: what goes on for somebody asks whether it may */
  /** windows for commands outside the box */
  readonly elevation: Pick<Elevation, 'say' | 'untilMs'>;
  /** what may be spent a day; null: what the settings say */
  allow?(usd: number | null, by: string): string;
  /** everything stops */
  panic?(by: string): void;
  rechecked?(holds: (speaker: Speaking) => boolean): void;
  /** questions to the owner, as far as chats have to do with them */
  readonly asking: Pick<ReturnType<typeof createAsking>, 'answer' | 'notice' | 'standing'>;
};

export function createDoor(ports: DoorPorts) {
  const { store, inbox, outbox, journal, log, hide, lanes, directory, now } = ports;
  const deliver = (rows: readonly OutboxRow[]): void => rows.forEach(ports.deliver);
  const access = createAccess({
    ...{ store, outbox, journal, now, deliver, config: ports.config, key: ports.pairingKey },
    changed: () => recheck(),
    takesPart: (message) =>
      directory.get(keyOfMessage({ ...message, principal: { kind: 'member' } }, access.rules())) !== null,
  });

  /** Whoever may not talk any more, or not with these rights: what runs for them ends, what waits is declined. */
  const recheck = (): void => {
    const ended = lanes.abortWhere((w) => !access.stillHolds(w.message), ABORT.revoked);
    if (ended.length > 0) journal.record('run.revoked', { runs: ended });
    ports.rechecked?.(access.speakerHolds);
    // Next time round: the approval that releases them is still being written down.
    setImmediate(releaseHeld);
  };
  const releaseHeld = (): void => {
    try {
      for (const message of access.takeHeld()) receive(message);
    } catch (error) {
      log.error('a held message was not delivered', { error });
    }
  };

  const place = (message: AdmittedMessage, runId: string = newId()): Delivery => {
    const { messages, agents } = ports.config();
    const sessionKey = keyOfMessage(message, access.rules());
    return { sessionKey, runId, queueMode: messages.queue.mode, timeoutMs: agents.defaults.timeoutSeconds * 1_000 };
  };

  const waitingOf = (message: AdmittedMessage, delivery: Delivery, inboxId = 0): Waiting => {
    const { sessionKey, runId, queueMode, timeoutMs } = delivery;
    const { agentId } = parseSessionKey(sessionKey);
    return {
      inboxId,
      attempts: 0,
      resumed: false,
      runId,
      sessionKey,
      agentId,
      timeoutMs,
      mode: modeOf(queueMode),
      message,
    };
  };

  const obey = (command: Command, message: AdmittedMessage, delivery: Delivery, inboxId: number): void => {
    const { channel, account, chat, thread = '', messageId } = message;
    const letter = { channel, account, chat, thread, replyTo: messageId, key: `command:${inboxId}` };
    const tell = (text: string): void =>
      deliver([store.commit(() => post(outbox, { ...letter, text }, inboxId, now()))]);
    if (!ports.undo || (command !== 'undo' && command !== 'undo yes')) {
      tell(outcomeOf(command, message, delivery));
      // The word of it is on its way; nothing else leaves after it.
      if (command === 'panic') ports.panic?.(`${channel}:${message.sender.id}`);
      return;
    }
    // Files are looked at first; the answer follows.
    ports
      .undo(`${channel}:${account}:${chat}`, command === 'undo yes')
      .then((text) => tell(hide.text(text)))
      .catch((error: unknown) => log.error('no answer to /undo', { error }));
  };

  const outcomeOf = (command: Command, message: AdmittedMessage, delivery: Delivery): string => {
    const speaker = { ...message, sender: message.sender.id };
    if (typeof command !== 'string' && 'usd' in command)
      return ports.allow?.(command.usd, `${message.channel}:${message.sender.id}`) ?? HELP_TEXT;
    if (typeof command !== 'string')
      return 'minutes' in command ? ports.elevation.say(speaker, command) : ports.asking.answer(command, message);
    const { sessionKey } = delivery;
    const { channel } = message;
    const mine = waitingOf(message, delivery);
    const stop = (): number =>
      lanes.abortWhere((w) => w.sessionKey === sessionKey && isSameSpeaker(w, mine), ABORT.user).length;
    const active = lanes.activeRunIds(sessionKey).length;
    switch (command) {
      case 'start':
        return START_TEXT;
      case 'whoami':
        return whoamiText(message);
      case 'help':
        return HELP_TEXT;
      case 'undo':
      case 'undo yes':
        return 'There is nothing that I could take back.';
      case 'status': {
        const working = `I am working on it; ${lanes.waitingIn(sessionKey)} more wait.`;
        return [
          active === 0 ? 'I am idle.' : (ports.asking.standing(message, sessionKey) ?? working),
          ...(ports.elevation.untilMs(speaker) === null ? [] : [ports.elevation.say(speaker, ASKS)]),
        ].join('\n');
      }
      case 'panic':
        return PANIC_TEXT;
      case 'stop':
        return stop() === 0 ? 'There is nothing to stop.' : 'Stopped.';
      case 'new':
      case 'reset': {
        if (active > 0) {
          stop();
          return `I was still working, so I stopped. Send /${command} again for a new conversation.`;
        }
        if (directory.get(sessionKey)) directory.reset(sessionKey, { channel, sender: message.sender.id });
        return 'A new conversation: what was said before is behind us.';
      }
    }
  };

  const intake = createIntake<AdmittedMessage, Command>({
    ...{ store, inbox, journal, now, place, obey, deliver },
    // What was accepted before a secret was known, and is taken up again, is hidden here; the rest was on its way in.
    gate: (message, again) =>
      again ? access.gate(hide.inbound(message), again as readonly Said[]) : access.gate(message),
    submit: (message, { inboxId, attempts, resumed, delivery }) => {
      ports.accepted(delivery.runId);
      lanes.submit({ ...waitingOf(message, delivery, inboxId), attempts, resumed });
      if (!resumed) ports.asking.notice(message, delivery.sessionKey, inboxId);
    },
  });

  /** From a platform; the gateway's own clients come by send.ts. Throws when it could not be stored. */
  const receive = (message: InboundMessage): Settled => {
    return intake.receive(hide.inbound(bounded(message)));
  };

  /** A channel refuses us, as when a link has run out (S226): the owner is told where they can still be reached. */
  const channelLost = (channel: string, account: string, reason: string, fix: string): void => {
    const owner = access.ownerElsewhere(channel, account);
    journal.record('channel.lost', { channel, account, reason });
    if (!owner) return;
    const name = account === 'default' ? channel : `${channel} (${account})`;
    const letter = { ...owner, text: lostText(name, reason, fix), key: `lost:${channel}:${account}:${now()}` };
    deliver([store.commit(() => post(outbox, letter, 0, now()))]);
  };

  /** Something that the owner should know, in every direct chat that is theirs; the same key says it once. */
  const tellOwner = (text: string, key: string): void => {
    const chats = access.ownerChats();
    deliver(
      store.commit(() =>
        chats.map((to) => post(outbox, { ...to, text, key: `${key}:${to.channel}:${to.chat}` }, 0, now())),
      ),
    );
  };

  return {
    access,
    tellOwner,
    channelLost,
    receive,
    recheck,
    releaseHeld,
    groupChanged: (change: GroupChange): void => access.groupChanged(change),
    chatMoved: access.chatMoved,
    intake: {
      resume: intake.resume,
      accept(message: InboundMessage, delivery: Delivery) {
        hide.refuseInNames(delivery.sessionKey, message.chat, message.messageId);
        return intake.accept(hide.inbound(message), delivery);
      },
    },
  };
}

const MAX_NAME_CHARS = 500;
const MAX_FILES = 100;

/** One character too many is enough to be refused for it; nobody makes us search a megabyte for secrets, whatever it is called. */
function bounded(message: InboundMessage): InboundMessage {
  const { text, quoted, sender, chatTitle, attachments } = message;
  return {
    ...message,
    text: text.slice(0, MAX_MESSAGE_CHARS + 1),
    ...(quoted ? { quoted: { ...quoted, text: quoted.text.slice(0, MAX_QUOTE_CHARS) } } : {}),
    ...(sender.display ? { sender: { ...sender, display: sender.display.slice(0, MAX_NAME_CHARS) } } : {}),
    ...(chatTitle ? { chatTitle: chatTitle.slice(0, MAX_NAME_CHARS) } : {}),
    ...(attachments
      ? {
          attachments: attachments
            .slice(0, MAX_FILES)
            .map((one) => ({ ...one, name: one.name.slice(0, MAX_NAME_CHARS) })),
        }
      : {}),
  };
}

/** A mode from an older or foreign row is read as the default. */
const modeOf = (text: string): Waiting['mode'] => (text === 'interrupt' || text === 'followup' ? text : 'steer');
