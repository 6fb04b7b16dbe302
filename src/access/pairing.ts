// Owns pairing: who asked, who was approved, who was invited, and what the owner says to it. The gate asks it at every
// message, so what it knows is in memory; each change is one transaction. It never makes an owner unless told to.
import { CHANNEL_NAMES } from '../config/schema/channels.ts';
import { personOf } from '../config/shape/people.ts';
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import type { Store } from '../store/open.ts';
import type { Outbox, OutboxRow } from '../store/outbox.ts';
import { type Grant, type Kind, openPairingTables, type PairingRequest } from '../store/people/pairing.ts';
import { CODE_CHARS, hashCode, INVITE_CHARS, newCode, readCode, seal, unseal } from './codes.ts';
import type { GroupGrant, GuestLimits, PersonGrant, Role } from './gate.ts';
import { APPROVED_TEXT, cleanName, post } from './letters.ts';
import { type Asker, createRequests } from './requests.ts';

export type PairingPorts = {
  readonly store: Store;
  readonly outbox: Outbox;
  readonly journal: Journal;
  readonly key: () => Buffer;
  readonly now: () => number;
  /** letters that were written, after they are durable */
  deliver(rows: readonly OutboxRow[]): void;
  /** rights were given or taken */
  changed(): void;
};

export type Invitation = {
  readonly title: string;
  readonly limits: GuestLimits;
  /** how long the pass is good once it is taken, and the code until then */
  readonly untilMs: number;
};
export type ApproveOptions = {
  readonly owner?: boolean;
  /** a group in which everybody may talk */
  readonly members?: boolean;
  /** the id is that of a group, where the id alone does not say it */
  readonly group?: boolean;
  readonly account?: string;
  readonly by: object;
};
export type Approved = Grant & { readonly id: string };
export type Pairing = ReturnType<typeof createPairing>;

const MAX_WRONG = 20;
const WRONG_WINDOW_MS = 10 * 60_000;
export const MAX_HELD_CHARS = 20_000;
/** What `recent` answers are read back for. */
const HOUR_MS = 60 * 60_000;

export function createPairing(ports: PairingPorts) {
  const { store, journal, now, outbox } = ports;
  const hashOf = (code: string): string => hashCode(ports.key(), code);
  const tables = openPairingTables(store);
  const grants = new Map<string, Grant>();
  let pending: PairingRequest[] = [];
  let wrong: number[] = [];
  const reload = (): void => {
    grants.clear();
    for (const grant of tables.grants()) grants.set(keyOf(grant), grant);
    pending = tables.pending(now());
  };
  reload();
  const requests = createRequests(
    now,
    pending.filter(({ createdAtMs }) => createdAtMs > now() - HOUR_MS),
  );

  /** One transaction, then what is known is read anew and the letters leave. */
  const change = (work: () => readonly OutboxRow[]): void => {
    const letters = store.commit(work);
    reload();
    ports.changed();
    ports.deliver(letters);
  };
  const invites = () =>
    tables.invites().filter(({ usedAtMs, expiresAtMs }) => usedAtMs === null && expiresAtMs > now());
  const waiting = (): PairingRequest[] => pending.filter(({ expiresAtMs }) => expiresAtMs > now());

  /** By code, by id of one that waits, or by an id with its channel. */
  const find = (typed: string, account?: string, kind?: Kind): PairingRequest | Asker => {
    const [channel = '', ...rest] = typed.split(':');
    const subject = rest.join(':');
    const known = waiting().filter((r) => r.subject === typed || (r.channel === channel && r.subject === subject));
    const meant = account === undefined ? known : known.filter((r) => r.account === account);
    if (meant[0] && meant.length === 1) return meant[0];
    if (meant.length > 1)
      throw ambiguous(
        typed,
        meant.map((r) => `${r.channel}:${r.subject} (${r.account})`),
      );
    if (subject !== '') return newcomer(channel, subject, account, kind);
    // Ids of people and groups on most platforms; nobody should be told that such a one is too short for a code.
    if (/^-?\d+$/.test(typed) && typed.length !== CODE_CHARS)
      throw failure(
        'NOT_WAITING',
        'nobody with this id waits',
        `name its channel as well, such as telegram:${typed.slice(0, 40)}`,
        404,
      );
    return byCode(typed);
  };
  const byCode = (typed: string): PairingRequest => {
    const nowMs = now();
    wrong = wrong.filter((at) => at > nowMs - WRONG_WINDOW_MS);
    if (wrong.length >= MAX_WRONG) throw tooManyWrong();
    const read = readCode(typed);
    if ('problem' in read) throw failure('CODE_MALFORMED', read.problem, read.fix);
    const request = tables.byCode(hashOf(read.code));
    if (!request) {
      wrong.push(nowMs);
      throw failure('CODE_UNKNOWN', 'nobody waits with this code', 'openclaw pairing list   (shows who waits)', 404);
    }
    if (request.state === 'approved')
      throw failure('CODE_USED', 'this code was approved already', 'openclaw pairing approved');
    if (request.state !== 'pending') throw failure('CODE_USED', `this code was ${request.state}`, ASK_AGAIN);
    if (request.expiresAtMs <= nowMs) throw failure('CODE_EXPIRED', 'this code has expired', ASK_AGAIN);
    return request;
  };

  return {
    person(channel: string, account: string, subject: string): PersonGrant | null {
      const grant = grants.get(keyOf({ channel, account, kind: 'person', subject }));
      if (!grant) return null;
      return { role: grant.role as Role, untilMs: grant.untilMs, limits: limitsOf(grant) };
    },
    group: (channel: string, account: string, subject: string): GroupGrant | null =>
      grants.get(keyOf({ channel, account, kind: 'group', subject })) ?? null,
    pending: waiting,
    remembered: requests.remembered,
    approved: (): Approved[] =>
      [...grants.values()].map((grant) => ({ ...grant, id: `${grant.channel}:${grant.subject}` })),
    invites,

    /**
     * Somebody asks to be let in. Null: nothing comes of it. Else what must be called inside a transaction; it returns the
     * letters. `hold` is kept sealed until the owner has decided.
     */
    ask(
      asker: Asker & { readonly chat: string; readonly title: string },
      ttlMs: number,
      hold: string | null,
      letter: (code: string) => OutboxRow | null,
    ): (() => OutboxRow[]) | null {
      const chance = requests.chance(asker, pending);
      if (chance.kind === 'silent') return null;
      const held = hold === null ? null : seal(ports.key(), hold);
      const nowMs = now();
      if (chance.kind === 'again') {
        return () => {
          tables.seen(chance.request.id, nowMs, chance.returned);
          if (held) tables.hold(chance.request.id, held);
          pending = tables.pending(nowMs);
          return [];
        };
      }
      return () => {
        const code = newCode();
        if (chance.displaces) tables.settle(chance.displaces.id, 'displaced');
        const { channel, account, kind, subject, chat, title } = asker;
        const facts = { channel, account, kind, subject, chat, title, returned: chance.returned };
        const times = { createdAtMs: nowMs, expiresAtMs: nowMs + ttlMs, lastSeenAtMs: nowMs };
        tables.add({ ...facts, ...times, code: hashOf(code) }, held);
        journal.record('pairing.requested', { channel, account, kind, subject });
        requests.answered(asker);
        pending = tables.pending(nowMs);
        const row = letter(code);
        return row ? [row] : [];
      };
    },

    approve(typed: string, options: ApproveOptions): Approved {
      const found = find(typed, options.account, options.group ? 'group' : undefined);
      const { channel, account, kind, subject } = found;
      if (kind === 'group' && options.owner) {
        throw failure('GROUP_NOT_OWNER', 'a group cannot be an owner', `openclaw pairing approve ${typed}`);
      }
      if (kind === 'person' && options.members) {
        throw failure(
          'NOT_A_GROUP',
          '--members is for groups, and this is a person',
          `openclaw pairing approve ${typed}`,
        );
      }
      const nowMs = now();
      const request = 'id' in found ? found : null;
      // Approved again, as for all of a group or as an owner: it keeps its name.
      const title = request?.title ?? grants.get(keyOf(found))?.title ?? '';
      const grant: Grant = {
        ...{ channel, account, kind, subject, title, members: options.members ?? false },
        role: kind === 'group' ? 'group' : options.owner ? 'owner' : 'paired',
        ...{ was: null, limits: null, untilMs: null, grantedAtMs: nowMs },
      };
      change(() => {
        if (request) tables.settle(request.id, 'approved');
        tables.put(grant);
        journal.record('pairing.approved', { channel, account, kind, subject, role: grant.role, by: options.by });
        if (!request || kind === 'group') return [];
        const key = `approved:${request.id}`;
        return [post(outbox, { channel, account, chat: request.chat, text: APPROVED_TEXT, key }, 0, nowMs)];
      });
      return { ...grant, id: `${channel}:${subject}` };
    },
    reject(typed: string, by: object, only?: string): Asker {
      const found = find(typed, only);
      if (!('id' in found)) throw failure('NOT_WAITING', 'nobody with this id waits', 'openclaw pairing list', 404);
      const { channel, account, kind, subject } = found;
      change(() => {
        tables.settle(found.id, 'rejected');
        journal.record('pairing.rejected', { channel, account, kind, subject, by });
        return [];
      });
      return { channel, account, kind, subject };
    },
    rejectAll(by: object): number {
      const all = waiting();
      change(() => {
        for (const { id } of all) tables.settle(id, 'rejected');
        if (all.length > 0) journal.record('pairing.rejected', { all: all.length, by });
        return [];
      });
      return all.length;
    },
    /** Takes back what was approved. `typed` may name its channel. */
    revoke(typed: string, by: object, only: { channel?: string } = {}): Approved {
      const found = [...grants.values()]
        .map((grant) => ({ ...grant, id: `${grant.channel}:${grant.subject}` }))
        .filter(
          ({ id, subject, channel }) => (id === typed || subject === typed) && channel === (only.channel ?? channel),
        );
      const [first] = found;
      if (!first) throw failure('NOT_APPROVED', 'nobody with this id was approved', 'openclaw pairing approved', 404);
      if (new Set(found.map(({ id }) => id)).size > 1)
        throw ambiguous(
          typed,
          found.map(({ id }) => id),
        );
      change(() => {
        for (const grant of found) tables.drop(grant);
        journal.record('pairing.revoked', { channel: first.channel, kind: first.kind, subject: first.subject, by });
        return [];
      });
      return first;
    },
    invite({ title, limits, untilMs }: Invitation, by: object): { code: string; untilMs: number } {
      const code = newCode(INVITE_CHARS);
      const nowMs = now();
      change(() => {
        const facts = { title: cleanName(title), limits: JSON.stringify(limits), createdAtMs: nowMs };
        tables.addInvite({ ...facts, code: hashOf(code), expiresAtMs: untilMs, untilMs });
        journal.record('pairing.invited', { limits, untilMs, by });
        return [];
      });
      return { code, untilMs };
    },
    /** Takes back an invitation that nobody has used, by the id that the list gives it. */
    uninvite(id: string, by: object): { readonly id: string; readonly title: string } {
      const found = invites().filter(({ code }) => idOfInvite(code) === id);
      const [first] = found;
      if (!first) throw failure('NOT_INVITED', 'no invitation with this id waits', 'openclaw pairing list', 404);
      change(() => {
        for (const { code } of found) tables.dropInvite(code);
        journal.record('pairing.uninvited', { title: first.title, by });
        return [];
      });
      return { id, title: first.title };
    },
    /** The invitation of this code, when it is still good. Taking it is one transaction of its own. */
    redeem(code: string, asker: Asker, title: string): boolean {
      const hash = hashOf(code);
      const invite = tables.invite(hash);
      const nowMs = now();
      if (!invite || invite.usedAtMs !== null || invite.expiresAtMs <= nowMs || asker.kind !== 'person') return false;
      let taken = false;
      change(() => {
        taken = tables.useInvite(hash, nowMs);
        if (!taken) return [];
        const { channel, account, kind, subject } = asker;
        const facts = { channel, account, kind, subject, title: title || invite.title, role: 'guest' };
        const open = { members: false, was: null, limits: invite.limits, untilMs: invite.untilMs, grantedAtMs: nowMs };
        tables.put({ ...facts, ...open });
        journal.record('pairing.redeemed', { channel, account, subject });
        return [];
      });
      return taken;
    },
    /** A group or chat got another id: what was approved for it moves along. `keep`: it is listed in the settings. */
    moved(channel: string, account: string, from: string, to: string, keep: boolean): void {
      const grant = grants.get(keyOf({ channel, account, kind: 'group', subject: from }));
      if (!grant && !keep) return;
      change(() => {
        const fresh = { channel, account, kind: 'group' as const, role: 'group', title: '', members: false };
        tables.put({
          ...fresh,
          limits: null,
          untilMs: null,
          grantedAtMs: now(),
          ...grant,
          subject: to,
          was: grant?.was ?? from,
        });
        if (grant) tables.drop(grant);
        journal.record('pairing.moved', { channel, account, from, to });
        return [];
      });
    },
    /** The assistant is in the group no longer: being put back needs a new word. */
    left(channel: string, account: string, subject: string): void {
      const grant = grants.get(keyOf({ channel, account, kind: 'group', subject }));
      const asked = waiting().filter(
        (r) => r.kind === 'group' && r.channel === channel && r.account === account && r.subject === subject,
      );
      if (!grant && asked.length === 0) return;
      change(() => {
        if (grant) tables.drop(grant);
        for (const { id } of asked) tables.settle(id, 'rejected');
        journal.record('pairing.left', { channel, account, subject });
        return [];
      });
    },
    /** The messages that were held for those who are approved by now, each once. */
    takeHeld(): string[] {
      const sealed = store.commit(tables.takeHeld);
      return sealed.flatMap((one) => unseal(ports.key(), one) ?? []);
    },
  };
}

/** Of its keyed hash, so that the id tells nothing of the code. */
export const idOfInvite = (hash: string): string => `invite:${hash.slice(0, 6)}`;

const ASK_AGAIN = 'let them write again; they get a new code';

/** As far as the id alone says it; one that waits says it itself. */
const kindOf = (channel: string, subject: string): Kind =>
  (channel === 'telegram' && subject.startsWith('-')) ||
  /@g\.us$/.test(subject) ||
  (channel === 'slack' && /^[CG]/.test(subject))
    ? 'group'
    : 'person';

/** Somebody who does not wait, by id: the owner knows it from elsewhere. */
function newcomer(name: string, written: string, account = 'default', kind?: Kind): Asker {
  const channel = CHANNEL_NAMES.find((one) => one === name);
  if (!channel) {
    throw failure(
      'UNKNOWN_CHANNEL',
      `there is no channel "${name.slice(0, 40)}"`,
      `write it like telegram:123456; there are ${CHANNEL_NAMES.join(', ')}`,
    );
  }
  if ((kind ?? kindOf(channel, written)) === 'group') return { channel, account, kind: 'group', subject: written };
  const person = personOf(channel, written);
  if (!('id' in person)) throw failure('NOT_AN_ID', `"${written.slice(0, 60)}" ${person.why}`, person.where);
  if (/[*\s]/.test(person.id))
    throw failure('NOT_AN_ID', `"${written.slice(0, 60)}" is not one person`, 'approve each by their own id');
  return { channel, account, kind: 'person', subject: person.id };
}

const limitsOf = ({ limits }: Grant): GuestLimits | null =>
  limits === null ? null : (JSON.parse(limits) as GuestLimits);
const keyOf = ({ channel, account, kind, subject }: Asker): string => [channel, account, kind, subject].join('\0');

const failure = (code: string, message: string, fix: string, httpStatus = 400): HardshellError =>
  new HardshellError({ code, message, fix, httpStatus });

const tooManyWrong = (): HardshellError =>
  failure(
    'TOO_MANY_WRONG_CODES',
    'too many wrong codes were tried',
    'wait ten minutes, or approve by id: openclaw pairing list',
    429,
  );

const ambiguous = (typed: string, ids: readonly string[]): HardshellError =>
  failure(
    'AMBIGUOUS_ID',
    `"${typed.slice(0, 60)}" is ${ids.slice(0, 4).join(' and ')}`,
    'name it with its channel, or use --channel or --account',
  );
