// Owns hello-ok: what a client learns on arrival. It lists only what exists and what the granted scopes can use, and
// a client without scopes learns nothing about the house.
import { MAIN_KEY } from '../../sessions/key.ts';
import type { Scopes } from '../auth/scopes.ts';
import type { Backend } from '../backend.ts';
import { EVENTS } from '../events.ts';
import type { Limits } from '../limits.ts';
import type { Method } from '../methods/method.ts';
import type { Admitted } from './handshake.ts';
import type { Presence } from './presence.ts';

export type HelloOptions = {
  readonly backend: Backend;
  readonly methods: ReadonlyMap<string, Method>;
  readonly presence: Presence;
  readonly limits: Limits;
  readonly authMode: 'token' | 'password' | 'none';
  readonly bootId: string;
  readonly now: () => number;
};

export function createHello(options: HelloOptions): (admitted: Admitted, protocol: number) => unknown {
  const { backend, methods, presence, limits, authMode, bootId, now } = options;
  const features = new Map<Scopes, unknown>();
  const featuresFor = (scopes: Scopes): unknown => {
    const known = features.get(scopes);
    if (known) return known;
    const made = {
      methods: [...methods].filter(([, { scope }]) => scope === null || scopes.has(scope)).map(([name]) => name),
      events: Object.entries(EVENTS).flatMap(([name, scope]) => (scope === null || scopes.has(scope) ? [name] : [])),
      capabilities: ['compact-deltas'],
    };
    features.set(scopes, made);
    return made;
  };

  return ({ grant, connId }, protocol) => {
    const reads = grant.allows.has('operator.read');
    return {
      type: 'hello-ok',
      protocol,
      server: { version: backend.version, bootId, connId },
      features: featuresFor(grant.allows),
      snapshot: {
        presence: reads ? presence.list() : [],
        health: { ok: true, ts: now() },
        stateVersion: { presence: presence.version, health: 1 },
        uptimeMs: Math.max(0, now() - backend.startedAtMs),
        ...(reads ? { sessionDefaults: sessionDefaults(backend) } : {}),
        authMode,
      },
      auth: { method: authMode, role: 'operator', scopes: grant.granted },
      policy: {
        maxPayload: limits.maxPayloadBytes,
        maxBufferedBytes: limits.maxBufferedBytes,
        tickIntervalMs: limits.tickIntervalMs,
      },
    };
  };
}

const sessionDefaults = (backend: Backend) => ({
  defaultAgentId: 'main',
  mainKey: 'main',
  mainSessionKey: MAIN_KEY,
  scope: 'per-sender',
  ownership: 'sole',
  selectionRequired: false,
  modelConfigured: backend.models.primary !== '',
});
