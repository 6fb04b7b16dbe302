// Owns the contract of a tool: schema, declared effects, run. A tool can be run only with a PermittedCall, which only
// policy/decide.ts can make, and it is handed everything it touches; it never opens a path or a process by itself.
import type { z } from 'zod';
import type { Memory } from '../memory/memory.ts';
import type { Provenance, Written } from '../memory/provenance.ts';
import type { Answers, Ask, Facts } from '../net/browser/words.ts';
import type { MailReader } from '../net/mail-words.ts';
import type { Web } from '../net/web/web.ts';
import type { PermittedCall, ToolCall } from '../policy/decide.ts';
import type { Effect } from '../policy/effects.ts';
import type { ToolRoles } from '../policy/flow/roles.ts';
import type { Processes } from '../sandbox/background/processes.ts';
import type { Sandbox, SandboxLimits } from '../sandbox/driver.ts';
import type { Label } from '../store/label.ts';
import type { Reach } from './reach.ts';

/** What a running tool may touch. `sandbox` is null when no driver could be opened; `sandboxReason` says why. */
export type ToolEnv = {
  readonly files: Reach;
  readonly sandbox: Sandbox | null;
  readonly sandboxReason: string;
  /** one command that mends it */
  readonly sandboxFix?: string;
  readonly limits: SandboxLimits;
  /** what a command sees besides what its box gives it */
  readonly environment: Readonly<Record<string, string>>;
  /** what runs in the background, of every conversation */
  readonly processes: Processes<ToolCall['speaker']>;
  readonly signal: AbortSignal;
  /** the tool of an MCP server that the call was judged as; what it gives back is the server's, as it came */
  callServer(call: PermittedCall, args: unknown): Promise<unknown>;
  /** pages and searches; loaded when it is asked for */
  web(): Promise<Web>;
  /** does one thing in the browser */
  browser<A extends Ask>(call: PermittedCall, ask: A): Promise<Answers[A['op']]>;
  /** into the outbox */
  send(call: PermittedCall, words: Words): Queued;
  change(call: PermittedCall, change: Change, signal: AbortSignal): Promise<void>;
  /** the owner's mail; throws a HardshellError where there is none */
  mail(call: PermittedCall): MailDesk;
  /** where the content of files came from: told when it is read, recorded before it is written */
  readonly provenance: Pick<Provenance, 'labelRead' | 'labelOfLines' | 'check'> & {
    record(written: Omit<Written, 'sessionKey'>): void;
  };
  /** throws a HardshellError where somebody else could hear of it; loaded when it is asked for */
  memory(): Promise<Memory>;
};

/** `leavesAtMs` is 0 when it leaves at once. */
export type Queued = { readonly ids: readonly number[]; readonly leavesAtMs: number };
export type Attached = { readonly name: string; readonly bytes: Uint8Array };
/** `to` is channel:account:chat or '' for the chat of the call; `label` is of all that is in it. */
export type Words = {
  readonly to: string;
  readonly text: string;
  readonly files: readonly Attached[];
  readonly label: Label;
};
/** Of a message of the assistant, by the number it was queued with; to react, null is the message that is answered. */
export type Change = {
  readonly action: 'react' | 'edit' | 'delete';
  readonly to: string;
  readonly id: number | null;
  readonly text: string;
};
/** `replyTo` is a Message-ID or ''. */
export type Letter = {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly replyTo: string;
};
export type MailDesk = MailReader & {
  queue(call: PermittedCall, letter: Letter, isDraft: boolean): Queued;
};

/** `text` is what the model reads (already cut to size; call.ts sets off what comes from outside). Throw a HardshellError for an ordinary refusal. */
export type ToolResult = {
  readonly text: string;
  readonly isError: boolean;
  readonly label: Label;
  /** the gateway stops before the call has begun: it has no result yet, and is made again when the turn goes on */
  readonly isOutstanding?: true;
  /** the turn ends here with these words for the owner, who says whether it goes on */
  readonly paused?: string;
  /** policy or the owner said no; trying the same again gives the same */
  readonly refused?: { readonly code: string; readonly reason: string; readonly fix: string };
};

export interface Tool<Args = unknown> {
  readonly name: string;
  /** one or two sentences; every word is paid for on every turn */
  readonly description: string;
  readonly parameters: z.ZodType<Args>;
  /** what a model is told of the parameters, where the schema is not ours */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** for tools that reach beyond the workspace and its box: what the rules of information flow weigh */
  readonly roles?: ToolRoles;
  /** by the `act` of its arguments, or else the `action`, where what it does depends on that */
  readonly rolesByAct?: Readonly<Record<string, ToolRoles>>;
  /** What the call is about, where its arguments only name it: those that are judged, shown, bound and run. */
  look?(args: Args, at: Looking): Promise<Args>;
  /** `where` a command of this conversation runs */
  effects(args: Args, where: 'sandbox' | 'host'): readonly Effect[];
  run(call: PermittedCall, args: Args, env: ToolEnv): Promise<ToolResult>;
}

/** Tells and does nothing. */
export type Looking = { readonly lookAt?: ((ref: string, forFile: boolean) => Promise<Facts>) | undefined };

/** A tool in a list: its arguments are what its own schema made of them. */
// biome-ignore lint/suspicious/noExplicitAny: the schema and run() of one tool agree; a list of tools cannot say so
export type AnyTool = Tool<any>;
