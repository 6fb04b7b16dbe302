// Owns the tables of pairing: requests, what was approved, invitations. It keeps no code in the clear and decides nothing;
// access/ says who may have what.
import type { Store } from '../open.ts';

export type Kind = 'person' | 'group';
export type RequestState = 'pending' | 'approved' | 'rejected' | 'displaced';
export type PairingRequest = {
  readonly id: number;
  readonly channel: string;
  readonly account: string;
  readonly kind: Kind;
  /** the id of the person or group that asks to be let in */
  readonly subject: string;
  readonly chat: string;
  readonly title: string;
  /** the hash of the code */
  readonly code: string;
  readonly state: RequestState;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastSeenAtMs: number;
  /** they wrote again after a while: somebody who waits, and not a number that was used once */
  readonly returned: boolean;
};
export type Grant = {
  readonly channel: string;
  readonly account: string;
  readonly kind: Kind;
  readonly subject: string;
  /** owner, paired, guest, or group */
  readonly role: string;
  readonly title: string;
  /** a group in which everybody may talk */
  readonly members: boolean;
  /** the id of a group before the platform gave it another one */
  readonly was: string | null;
  /** JSON of what a guest pass allows */
  readonly limits: string | null;
  readonly untilMs: number | null;
  readonly grantedAtMs: number;
};
export type Invite = {
  readonly code: string;
  readonly title: string;
  readonly limits: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly untilMs: number;
  readonly usedAtMs: number | null;
};

/** All of these are to be called inside a transaction when they change something. */
export function openPairingTables(store: Store) {
  const columns = `id, channel, account, kind, subject, chat, title, code, state, created_at, expires_at, last_seen_at, returned`;
  const insert = store.prepare(`INSERT INTO pairing_requests (channel, account, kind, subject, chat, title, code, state,
    created_at, expires_at, last_seen_at, returned, held) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)`);
  const pending = store.prepare(
    `SELECT ${columns} FROM pairing_requests WHERE state = 'pending' AND expires_at > ? ORDER BY id`,
  );
  const byCode = store.prepare(`SELECT ${columns} FROM pairing_requests WHERE code = ? ORDER BY id DESC LIMIT 1`);
  const seen = store.prepare('UPDATE pairing_requests SET last_seen_at = ?, returned = ? WHERE id = ?');
  const hold = store.prepare('UPDATE pairing_requests SET held = ? WHERE id = ?');
  const settle = store.prepare(
    `UPDATE pairing_requests SET state = ?1, held = CASE WHEN ?1 = 'approved' THEN held END WHERE id = ?2`,
  );
  const takeHeld = store.prepare(
    `SELECT id, held FROM pairing_requests WHERE state = 'approved' AND held IS NOT NULL ORDER BY id`,
  );
  const clearOld = store.prepare(
    `DELETE FROM pairing_requests WHERE (channel = ? AND account = ? AND kind = ? AND subject = ? AND state = 'pending')
     OR expires_at < ?`,
  );
  const grants = store.prepare('SELECT * FROM access_grants ORDER BY granted_at');
  const put = store.prepare('INSERT OR REPLACE INTO access_grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const drop = store.prepare(
    'DELETE FROM access_grants WHERE channel = ? AND account = ? AND kind = ? AND subject = ?',
  );
  const forget = store.prepare('DELETE FROM people WHERE channel = ? AND account = ? AND person = ?');
  const addInvite = store.prepare('INSERT INTO invites VALUES (?, ?, ?, ?, ?, ?, NULL)');
  const invite = store.prepare('SELECT * FROM invites WHERE code = ?');
  const invites = store.prepare('SELECT * FROM invites ORDER BY created_at');
  const useInvite = store.prepare('UPDATE invites SET used_at = ? WHERE code = ? AND used_at IS NULL');
  const dropInvite = store.prepare('DELETE FROM invites WHERE code = ?');
  const dropInvites = store.prepare('DELETE FROM invites WHERE expires_at < ?');

  return {
    pending: (nowMs: number): PairingRequest[] => pending.all(nowMs).map(readRequest),
    byCode(code: string): PairingRequest | null {
      const row = byCode.get(code);
      return row ? readRequest(row) : null;
    },
    /** One request a subject; what lies a day past its end is forgotten with it. */
    add(r: Omit<PairingRequest, 'id' | 'state'>, held: Uint8Array | null): void {
      clearOld.run(r.channel, r.account, r.kind, r.subject, r.createdAtMs - 24 * 60 * 60_000);
      insert.run(r.channel, r.account, r.kind, r.subject, r.chat, r.title, r.code, r.createdAtMs, r.expiresAtMs,
        r.lastSeenAtMs, r.returned ? 1 : 0, held); // biome-ignore format: one row a line
    },
    seen: (id: number, atMs: number, returned: boolean): void => void seen.run(atMs, returned ? 1 : 0, id),
    hold: (id: number, held: Uint8Array): void => void hold.run(held, id),
    settle: (id: number, state: RequestState): void => void settle.run(state, id),
    /** What was held for those that are approved by now; it is there only once. */
    takeHeld(): Uint8Array[] {
      const rows = takeHeld.all();
      for (const row of rows) hold.run(null, Number(row['id']));
      return rows.map((row) => row['held'] as Uint8Array);
    },
    grants: (): Grant[] => grants.all().map(readGrant),
    put(g: Grant): void {
      const { channel, account, kind, subject, role, title, members, was, limits, untilMs, grantedAtMs } = g;
      put.run(channel, account, kind, subject, role, title, members ? 1 : 0, was, limits, untilMs, grantedAtMs);
    },
    drop(g: Pick<Grant, 'channel' | 'account' | 'kind' | 'subject'>): boolean {
      // Or they would be taken for somebody whom the settings list. Such a one is known again with the next message.
      if (g.kind === 'person') forget.run(g.channel, g.account, g.subject);
      return drop.run(g.channel, g.account, g.kind, g.subject).changes === 1;
    },
    addInvite(i: Omit<Invite, 'usedAtMs'>): void {
      dropInvites.run(i.createdAtMs);
      addInvite.run(i.code, i.title, i.limits, i.createdAtMs, i.expiresAtMs, i.untilMs);
    },
    invite(code: string): Invite | null {
      const row = invite.get(code);
      return row ? readInvite(row) : null;
    },
    dropInvite: (code: string): void => void dropInvite.run(code),
    invites: (): Invite[] => invites.all().map(readInvite),
    /** False when somebody was faster. */
    useInvite: (code: string, atMs: number): boolean => useInvite.run(atMs, code).changes === 1,
  };
}

type Row = Record<string, unknown>;
const optional = (value: unknown): number | null => (value === null ? null : Number(value));

function readRequest(row: Row): PairingRequest {
  return {
    id: Number(row['id']),
    channel: String(row['channel']),
    account: String(row['account']),
    kind: row['kind'] as Kind,
    subject: String(row['subject']),
    chat: String(row['chat']),
    title: String(row['title']),
    code: String(row['code']),
    state: row['state'] as RequestState,
    createdAtMs: Number(row['created_at']),
    expiresAtMs: Number(row['expires_at']),
    lastSeenAtMs: Number(row['last_seen_at']),
    returned: row['returned'] === 1,
  };
}

export function readGrant(row: Row): Grant {
  return {
    channel: String(row['channel']),
    account: String(row['account']),
    kind: row['kind'] as Kind,
    subject: String(row['subject']),
    role: String(row['role']),
    title: String(row['title']),
    members: row['members'] === 1,
    was: row['was'] === null ? null : String(row['was']),
    limits: row['limits'] === null ? null : String(row['limits']),
    untilMs: optional(row['until_at']),
    grantedAtMs: Number(row['granted_at']),
  };
}

function readInvite(row: Row): Invite {
  return {
    code: String(row['code']),
    title: String(row['title']),
    limits: String(row['limits']),
    createdAtMs: Number(row['created_at']),
    expiresAtMs: Number(row['expires_at']),
    untilMs: Number(row['until_at']),
    usedAtMs: optional(row['used_at']),
  };
}
