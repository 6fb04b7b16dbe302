// Owns the proof that a change leaves the gateway reachable: the one that runs answers, and what the next start would
// listen on is free. It sends the token only to the gateway of this state folder.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Probe } from '../../../config/edit/ports.ts';
import { listenHosts } from '../../../config/listen.ts';
import type { Config } from '../../../config/schema.ts';
import { errnoOf, reasonOf } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { resolveTarget, type Target } from '../../target.ts';

const ANSWER_MS = 4_000;
const ASK_AGAIN_MS = 40;

/** Looks up the way to the gateway before the change, since the change may be about the way. */
export async function probeOf({ env, version }: Context, port: number): Promise<(config: Config) => Promise<Probe>> {
  const target = await resolveTarget({ port: String(port) }, env);
  return async (config) => {
    const free = await canListen(config.gateway, port);
    return free.ok ? answers(target, version) : free;
  };
}

/** Whether the gateway that runs has taken up the file with this hash: it looks a moment after the write. */
export async function follows({ env, version }: Context, port: number, hash: string): Promise<Probe> {
  return answers(await resolveTarget({ port: String(port) }, env), version, hash);
}

async function answers(target: Target, version: string, hash?: string): Promise<Probe> {
  const { connect } = await import('../../client.ts');
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS);
  try {
    const client = await Promise.race([connect({ target, version, scopes: ['operator.read'] }), late.promise]);
    try {
      const runs = async (): Promise<boolean> =>
        ((await Promise.race([client.request('config.get', {}), late.promise])) as { hash?: string }).hash === hash;
      while (hash !== undefined && !(await runs())) await Promise.race([pause(ASK_AGAIN_MS), late.promise]);
      const health = (await Promise.race([client.request('health', {}), late.promise])) as { ok?: boolean } | null;
      return health?.ok === false ? { ok: false, reason: 'the gateway says that it is not well' } : { ok: true };
    } finally {
      client.close();
    }
  } catch (error) {
    return { ok: false, reason: `the gateway on ${target.address} did not prove it: ${reasonOf(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

async function canListen(gateway: Config['gateway'], runningPort: number): Promise<Probe> {
  const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
  const found = listenHosts(gateway, own);
  if ('reason' in found) return { ok: false, reason: found.reason };
  // On its own port the running gateway is in the way of this question.
  if (gateway.port === runningPort || gateway.port === 0) return { ok: true };
  for (const host of found.hosts) {
    const server = createServer();
    try {
      server.listen({ host, port: gateway.port, exclusive: true, ipv6Only: true });
      await once(server, 'listening');
    } catch (error) {
      const code = errnoOf(error);
      const where = `port ${gateway.port} of ${host}`;
      if (code === 'EADDRINUSE') return { ok: false, reason: `${where} is used by another program` };
      if (code === 'EACCES') return { ok: false, reason: `${where} may not be used by this account` };
    } finally {
      server.close();
    }
  }
  return { ok: true };
}
