// Owns what the owner may ask and say about access, in one form for the gateway and for a command without one: who waits,
// who was let in, yes, no, no longer, an invitation, and why a message was or was not heard. It shows no code and no text.
import { HardshellError } from '../platform/errors.ts';
import type { Inbox, InboxQuery } from '../store/inbox.ts';
import type { People } from '../store/people/people.ts';
import type { GuestLimits } from './gate.ts';
import { type ApproveOptions, idOfInvite, type Pairing } from './pairing.ts';

export type Waiting = {
  readonly id: string;
  readonly kind: string;
  readonly account: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastSeenAtMs: number;
};
export type Invited = {
  readonly id: string;
  readonly title: string;
  readonly limits: GuestLimits;
  readonly untilMs: number;
};
export type LetIn = {
  readonly id: string;
  readonly kind: string;
  /** owner, paired, guest, group; listed: by the settings */
  readonly role: string;
  readonly account: string;
  readonly title: string;
  readonly members: boolean;
  readonly limits: GuestLimits | null;
  readonly untilMs: number | null;
  readonly lastSeenAtMs: number | null;
};
export type InviteOptions = GuestLimits & { readonly title: string; readonly untilMs: number };
export type Why = {
  readonly messageId: string;
  readonly channel: string;
  readonly account: string;
  readonly chat: string;
  readonly chatType: string;
  readonly sender: string;
  readonly receivedAtMs: number;
  readonly state: string;
  readonly outcome: string;
  /** which rule decided, at which setting, and what would change it */
  readonly code: string;
  readonly at: string;
  readonly reason: string;
  readonly fix: string;
};

export type Desk = ReturnType<typeof createDesk>;

/** What a guest may have without end would be no guest. */
const MAX_PASS_MS = 366 * 24 * 60 * 60_000;

export function createDesk(pairing: Pairing, people: People, inbox: Pick<Inbox, 'last'>, now: () => number) {
  return {
    list: (): { waiting: Waiting[]; invites: Invited[] } => ({
      waiting: pairing.pending().map(({ channel, subject, kind, account, title, ...at }) => ({
        ...{ id: `${channel}:${subject}`, kind, account, title },
        ...{ createdAtMs: at.createdAtMs, expiresAtMs: at.expiresAtMs, lastSeenAtMs: at.lastSeenAtMs },
      })),
      invites: pairing.invites().map(({ code, title, limits, untilMs }) => ({
        id: idOfInvite(code),
        title,
        limits: JSON.parse(limits) as GuestLimits,
        untilMs,
      })),
    }),
    approved(): { approved: LetIn[] } {
      const seen = people.all();
      const granted = pairing.approved().map((grant): LetIn => {
        const { id, kind, role, account, title, members, limits, untilMs, channel, subject } = grant;
        const last = seen.find((p) => p.channel === channel && p.account === account && p.person === subject);
        const facts = { id, kind, role, account, title: title || (last?.title ?? ''), members, untilMs };
        const pass = limits === null ? null : (JSON.parse(limits) as GuestLimits);
        return { ...facts, limits: pass, lastSeenAtMs: last?.lastSeenAtMs ?? null };
      });
      const known = new Set(granted.map(({ id, account }) => `${id}\0${account}`));
      const listed = seen
        .filter((p) => !known.has(`${p.channel}:${p.person}\0${p.account}`))
        .map(({ channel, person, account, title, standing, lastSeenAtMs }): LetIn => {
          const role = standing === 'owner' ? 'owner (settings)' : 'listed';
          const none = { members: false, limits: null, untilMs: null };
          return { ...none, id: `${channel}:${person}`, kind: 'person', role, account, title, lastSeenAtMs };
        });
      return { approved: [...granted, ...listed] };
    },
    approve: (typed: string, options: ApproveOptions) => {
      const { id, kind, role, title, members } = pairing.approve(typed, options);
      return { id, kind, role, title, members };
    },
    reject(typed: string, by: object, account?: string) {
      const { channel, kind, subject } = pairing.reject(typed, by, account);
      return { id: `${channel}:${subject}`, kind };
    },
    rejectAll: (by: object) => ({ rejected: pairing.rejectAll(by) }),
    revoke(typed: string, channel: string | undefined, by: object) {
      if (typed.startsWith('invite:')) return { ...pairing.uninvite(typed, by), kind: 'invitation', role: 'guest' };
      const { id, kind, role, title } = pairing.revoke(typed, by, channel === undefined ? {} : { channel });
      return { id, kind, role, title };
    },
    invite({ title, untilMs, ...limits }: InviteOptions, by: object) {
      if (untilMs <= now() || untilMs > now() + MAX_PASS_MS) {
        throw refusal('BAD_UNTIL', 'a guest pass is good for at most a year', 'write it like --until 7d');
      }
      const touchesFiles = limits.tools.some((tool) => FILE_TOOLS.includes(tool));
      if (touchesFiles && limits.folder === null) {
        throw refusal(
          'FOLDER_MISSING',
          'a guest with tools for files needs a folder, or they would see all of your workspace',
          'add --folder NAME, or --folder . for all of it',
        );
      }
      // A command cannot be kept to a folder, so a pass with both would have a tool that is always refused.
      if (limits.folder !== '.' && limits.tools.some((tool) => COMMAND_TOOLS.includes(tool))) {
        throw refusal(
          'EXEC_SEES_ALL',
          'a guest with exec sees all of your workspace, whatever the folder',
          'leave exec out, or say so with --folder .',
        );
      }
      return pairing.invite({ title, limits, untilMs }, by);
    },
    /** Of the message with this id, or the last one that fits. */
    why(query: InboxQuery): Why {
      const row = inbox.last(query);
      if (!row) {
        const any = Object.values(query).some((value) => value !== undefined && value !== '');
        throw refusal(
          'MESSAGE_UNKNOWN',
          any
            ? 'no such message arrived here, or it came in a flood of which only the number is kept'
            : 'no message has arrived yet',
          'openclaw channels status   (counts what arrived, and shows whether messages flow)',
          404,
        );
      }
      const { rule } = JSON.parse(row.facts) as {
        rule?: { code?: string; at?: string; reason?: string; fix?: string };
      };
      const admitted = row.state !== 'declined';
      const { messageId, channel, account, chat, chatType, sender, receivedAtMs, state, reason: outcome } = row;
      const facts = { messageId, channel, account, chat, chatType, sender, receivedAtMs, state, outcome };
      // Let in first, and then the right was taken: the later word is the one that decided.
      const code = admitted ? (rule?.code ?? 'OPERATOR') : row.reason;
      const wasTaken = !admitted && rule?.code !== row.reason;
      return {
        ...facts,
        code,
        at: wasTaken ? 'openclaw pairing approved' : (rule?.at ?? ''),
        reason: wasTaken
          ? row.reason === 'SPEND_LIMIT'
            ? 'what its sender may spend in a day was used up while it waited'
            : 'its sender lost the right to talk while it waited'
          : (rule?.reason ?? (admitted ? 'a rule lets its sender in' : '')),
        fix: rule?.fix ?? (admitted ? shut(channel, sender, code, rule?.at ?? '') : 'openclaw pairing approved'),
      };
    },
  };
}

/** What would keep the next one out. */
function shut(channel: string, sender: string, code: string, at: string): string {
  if (code === 'OPERATOR') return 'openclaw token rotate   (whoever has the token of the gateway is you)';
  if (at.startsWith('openclaw')) return `openclaw pairing revoke ${channel}:${sender}`;
  return `openclaw config get ${at}   (and take ${channel}:${sender} out)`;
}

const COMMAND_TOOLS = ['exec', 'group:runtime', '*'];
const FILE_TOOLS = ['read', 'write', 'edit', 'ls', 'apply_patch', 'group:fs'];

const refusal = (code: string, message: string, fix: string, httpStatus = 400): HardshellError =>
  new HardshellError({ code, message, fix, httpStatus });
