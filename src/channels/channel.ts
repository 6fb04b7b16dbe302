// Owns the contract of a channel: it makes inbound messages and delivers replies. A channel knows no agent, decides
// nothing about who may talk, and acknowledges a message only after intake has accepted it (it is durable by then).
import type { Log } from '../log/log.ts';
import type { MailReader } from '../net/mail-words.ts';
import type { Label } from '../store/label.ts';

/** Set by the channel from what the platform vouches for; never from text or a display name. */
export type Sender = {
  /** the id that its owner cannot change: a number on Telegram and Discord, U… on Slack, an address on mail */
  readonly id: string;
  readonly display?: string;
  readonly isBot?: boolean;
  /** stable ids of the roles the platform says the sender has in this place (Discord) */
  readonly roles?: readonly string[];
};

/** A file that came with a message. Nothing is fetched before the message is admitted. */
export type Attachment = {
  /** what `Channel.fetchAttachment` needs to fetch it; opaque to everybody else */
  readonly ref: string;
  readonly kind: 'image' | 'audio' | 'video' | 'file' | 'sticker';
  readonly name: string;
  readonly mimeType: string;
  /** as the platform says; null when it does not */
  readonly sizeBytes: number | null;
};

/** How a group message names the assistant, by what the platform itself marked up. Text patterns are looked at later. */
export type Addressed = { readonly mention: boolean; readonly replyToBot: boolean; readonly quotesBot?: boolean };

export type InboundMessage = {
  readonly channel: string;
  readonly account: string;
  /** the conversation: a chat id, or for webchat the session key that the operator named */
  readonly chat: string;
  /** a topic or thread inside the chat, where the platform has them; it is a conversation of its own */
  readonly thread?: string;
  /** stable ids of what the chat lies in, outermost first, such as a Discord server */
  readonly within?: readonly string[];
  readonly chatTitle?: string;
  /** unique within channel, account and chat: the key of deduplication */
  readonly messageId: string;
  readonly chatType: 'direct' | 'group';
  readonly sender: Sender;
  /** how the channel knows the sender; `operator` only ever comes from an authenticated gateway connection, `claimed` is
   *  what a mail says about itself and nothing has verified */
  readonly assurance: 'operator' | 'platform' | 'claimed';
  readonly text: string;
  /** why it is no message of a person to us (an automatic mail, one with two senders); it is declined, and only counted */
  readonly unfit?: string;
  readonly addressed?: Addressed;
  /** what the message answers or quotes, and whose it is (null: the platform does not say) */
  readonly quoted?: { readonly senderId: string | null; readonly text: string };
  readonly attachments?: readonly Attachment[];
  readonly receivedAtMs: number;
  readonly label: Label;
};

/** A file that goes out with a reply; `path` was opened and checked by the one who queued it. */
export type OutboundFile = { readonly path: string; readonly name: string; readonly mimeType: string };

/** A reply on its way out: one message of the platform, already cut to its limit. `idempotencyKey` is stable across restarts. */
export type Outbound = {
  readonly id: number;
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  /** '' when it belongs to no thread */
  readonly thread: string;
  /** id of the message it answers, or '' */
  readonly replyTo: string;
  readonly text: string;
  readonly files: readonly OutboundFile[];
  /** of a mail that begins a conversation, whose `chat` then names every recipient, with commas; '' or left out: an answer */
  readonly subject?: string;
  readonly idempotencyKey: string;
  /** below the text, where the platform has them; the text says how to do without */
  readonly buttons?: readonly Button[];
};

/** A press arrives as a message of whoever has pressed, with these words, and passes the gate like any other. */
export type Button = { readonly label: string; readonly says: string };
/** The only words that a press can say; whatever else comes back was not ours. */
export const PRESSED = /^\/(?:approve|deny) [0-9a-f-]{36}(?: always| task| all)?$/;

/** `unknown`: sent, but the platform's answer was lost; it is shown, never blindly resent. `retry`: certainly not delivered
 *  (429, refused before it was taken, no connection), so it may be sent again after `afterMs`. `failed` is final. */
export type Receipt =
  | { readonly state: 'sent'; readonly messageId?: string }
  | { readonly state: 'unknown'; readonly reason?: string }
  | { readonly state: 'retry'; readonly reason: string; readonly afterMs: number }
  | { readonly state: 'failed'; readonly reason: string };

/** What a real round trip to the platform said; never a reading of the settings. */
export type Health =
  | { readonly ok: true; readonly atMs: number; readonly roundTripMs: number; readonly account: string }
  | ({ readonly ok: false } & ChannelProblem);

export type ChannelProblem = {
  readonly atMs: number;
  readonly family: FailureFamily;
  readonly reason: string;
  /** '' when there is nothing to do but wait */
  readonly fix: string;
};

/** `refused`: the platform said no (token revoked, kicked out) and will again; `network`: it may work later; `bug`: ours. */
export type FailureFamily = 'refused' | 'network' | 'bug';

/** What intake made of a message. In every case it is settled: the channel may acknowledge. Intake throws when it could not
 *  be stored; then the channel must not acknowledge, and the platform delivers it again. */
export type Settled = 'accepted' | 'duplicate' | 'declined';

/** The assistant was put into a group or taken out of it (S114); nobody said anything yet. */
export type GroupChange = {
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly within?: readonly string[];
  readonly title: string;
  readonly change: 'joined' | 'left';
  /** who did it, where the platform says so */
  readonly by: string | null;
  /** anybody can find and join it (S225) */
  readonly isPublic: boolean;
};

export type ChannelPorts = {
  emit(message: InboundMessage): Settled;
  groupChanged(change: GroupChange): void;
  /** a chat got another id (Telegram makes a group a supergroup): what was approved moves along */
  chatMoved(from: string, to: string): void;
  /** something arrived from the platform, whatever it was: the proof that messages flow and not only that a socket is open */
  alive(): void;
  /** what was delivered while it was away and cannot be had again is named, not passed over */
  gap(what: string): void;
  readonly log: Log;
  readonly now: () => number;
};

/** A message of ours that the platform has. */
export type Sent = { readonly chat: string; readonly thread: string; readonly messageId: string };

export type Typing = { readonly chat: string; readonly thread: string };

export interface Channel {
  readonly id: string;
  readonly account: string;
  /** true when sending the same idempotency key twice is harmless; only then is a reply retried after a crash */
  readonly idempotent: boolean;
  /** longest text of one message, in UTF-16 units; longer replies are cut before they are queued */
  readonly maxChars: number;
  /** of one file; left out: it sends none */
  readonly maxFileBytes?: number;
  send(outbound: Outbound, signal: AbortSignal): Promise<Receipt>;
  /** each of these is there where the platform has it, and throws an Error in words; what was asked may have happened then */
  react?(to: Sent, emoji: string, signal: AbortSignal): Promise<void>;
  edit?(sent: Sent, text: string, signal: AbortSignal): Promise<void>;
  remove?(sent: Sent, signal: AbortSignal): Promise<void>;
}

/** A channel with a connection of its own: `run` lives until the signal ends it (then it resolves) or the connection is lost
 *  (then it rejects with a ChannelFailure); the supervisor starts it again. Everything it opened is closed by then. */
export interface ConnectedChannel extends Channel {
  /** without any event for this long the connection is taken for dead; null when the platform may be silent for ever */
  readonly silenceMs: number | null;
  run(ports: ChannelPorts, signal: AbortSignal, connected: () => void): Promise<void>;
  probe(signal: AbortSignal): Promise<Health>;
  typing?(where: Typing, signal: AbortSignal): Promise<void>;
  /** a mailbox beside the messages that arrive */
  readonly mailbox?: MailReader;
  /** links this machine to a phone, where a platform needs that; rejects with a ChannelFailure */
  login?: Login;
  /** the bytes of an attachment, never more than `maxBytes`: rejects as soon as there are more */
  fetchAttachment?(ref: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** What a platform is made from. Everything in it was checked; nothing is connected yet. */
export type ChannelSetup = {
  readonly account: string;
  /** its keys of the configuration, with those of the channel that an account leaves out */
  readonly settings: Readonly<Record<string, unknown>>;
  /** by key, as platforms.ts lists them; all that are needed are there */
  readonly secrets: Readonly<Record<string, string>>;
  /** a folder of its own for what it must remember, below credentials/ since it may be secret; made when it is used */
  readonly stateFolder: string;
  /** the bytes of a file in the workspace, by a handle that leads nowhere else */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  readonly log: Log;
  readonly now: () => number;
};

/** `qr`: to be shown to the phone; `linked`: the phone has taken it. */
export type LoginEvent =
  | { readonly type: 'qr'; readonly text: string }
  | { readonly type: 'linked'; readonly me: string };
export type Login = (onEvent: (event: LoginEvent) => void, signal: AbortSignal) => Promise<void>;

/** Why a connection ended. `retryAfterMs` is what the platform asked for. */
export class ChannelFailure extends Error {
  readonly family: FailureFamily;
  readonly fix: string;
  readonly retryAfterMs: number | null;
  constructor(family: FailureFamily, message: string, fix: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'ChannelFailure';
    this.family = family;
    this.fix = fix;
    this.retryAfterMs = retryAfterMs;
  }
}
