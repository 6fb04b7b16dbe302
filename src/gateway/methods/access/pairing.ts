// Owns the methods of access: who waits, who was let in, the owner's yes and no, and why a message was heard or not. A right
// to talk is given only with operator.admin, so that nobody hands out more than they hold.
import { z } from 'zod';
import type { ApproveOptions } from '../../../access/pairing.ts';
import { method, type Table } from '../method.ts';

const code = z.string().min(1).max(256);
const channel = z.string().max(32).optional();
const account = z.string().max(64).optional();
const none = z.object({});

export const pairingMethods: Table = {
  'channels.pairing.list': method('operator.read', none, ({ backend }) => backend.pairing.list()),
  'channels.pairing.approved': method('operator.read', none, ({ backend }) => backend.pairing.approved()),
  'channels.pairing.approve': method(
    'operator.admin',
    z.strictObject({
      code,
      channel,
      account,
      owner: z.boolean().optional(),
      members: z.boolean().optional(),
      group: z.boolean().optional(),
    }),
    ({ backend, connection }, { code: typed, channel: _, ...options }) =>
      backend.pairing.approve(typed, { ...present(options), by: connection.actor }),
  ),
  'channels.pairing.dismiss': method(
    'operator.admin',
    z.strictObject({ code: code.optional(), account, all: z.boolean().optional() }),
    ({ backend, connection }, { code: typed, account: only, all }) =>
      all || typed === undefined
        ? backend.pairing.rejectAll(connection.actor)
        : backend.pairing.reject(typed, connection.actor, only),
  ),
  'channels.pairing.revoke': method(
    'operator.admin',
    z.strictObject({ id: code, channel }),
    ({ backend, connection }, { id, channel: only }) => backend.pairing.revoke(id, only, connection.actor),
  ),
  'channels.pairing.invite': method(
    'operator.admin',
    z.strictObject({
      title: z.string().max(80),
      tools: z.array(z.string().regex(/^[a-z][a-z0-9_:-]{0,40}$/)).max(40),
      folder: z.string().min(1).max(400).nullable(),
      messagesPerDay: z.int().min(1).max(1_000_000).nullable(),
      tokensPerDay: z.int().min(1).max(1_000_000_000).nullable(),
      untilMs: z.int().min(0),
    }),
    ({ backend, connection }, options) => backend.pairing.invite(options, connection.actor),
  ),
  'channels.why': method(
    'operator.read',
    z.object({
      messageId: z.string().max(256).optional(),
      sender: z.string().max(256).optional(),
      chat: z.string().max(256).optional(),
      channel,
    }),
    ({ backend }, query) => backend.pairing.why(present(query)),
  ),
};

/** Without what was left out, as the types want it. */
function present<T extends object>(
  given: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } & Omit<ApproveOptions, 'by'> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
