// Owns the list of who is connected, as `system-presence` and the presence event show it, and how often it is told.
// It shows what clients said about themselves, cleaned; never an address, never a token.
import { hostname } from 'node:os';
import type { Limits } from '../limits.ts';
import type { Connection } from './connection.ts';
import type { Hub } from './hub.ts';

export type PresenceEntry = Readonly<Record<string, unknown>>;
export type Presence = { list(): readonly PresenceEntry[]; readonly version: number; stop(): void };

/** Commands come and go every second; telling everybody each time would be all that the gateway does. */
const SILENT_MODES = new Set(['cli', 'probe', 'backend']);

export function createPresence(hub: Hub, version: string, startedAtMs: number, limits: Limits): Presence {
  const self: PresenceEntry = {
    host: hostname() || 'localhost',
    version,
    platform: process.platform,
    mode: 'gateway',
    reason: 'self',
    text: `Gateway · app ${version} · mode gateway · reason self`,
    ts: startedAtMs,
  };
  let changes = 1;
  let shown = '';
  let timer: NodeJS.Timeout | undefined;

  const list = (): readonly PresenceEntry[] => {
    const entries: PresenceEntry[] = [self];
    for (const connection of hub.each(null)) {
      if (SILENT_MODES.has(connection.grant.mode)) continue;
      if (entries.length > limits.presenceEntries) break;
      entries.push(entryOf(connection));
    }
    return entries;
  };
  const tell = (): void => {
    timer = undefined;
    const presence = list();
    const now = JSON.stringify(presence);
    if (now === shown) return;
    shown = now;
    changes += 1;
    const rest = { stateVersion: { presence: changes, health: 1 } };
    hub.publish('presence', 'operator.read', { presence }, { droppable: true, rest });
  };
  hub.onChange(() => {
    timer ??= setTimeout(tell, limits.presenceIntervalMs).unref();
  });
  return {
    list,
    get version() {
      return changes;
    },
    stop: () => clearTimeout(timer),
  };
}

function entryOf({ id, client, grant, connectedAtMs }: Connection): PresenceEntry {
  return {
    host: client.displayName ?? client.id,
    version: client.version,
    platform: client.platform,
    ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
    ...(client.instanceId === undefined ? {} : { instanceId: client.instanceId }),
    mode: client.mode,
    clientId: client.id,
    connId: id,
    ...(grant.deviceId === null ? {} : { deviceId: grant.deviceId }),
    roles: ['operator'],
    scopes: grant.granted,
    reason: 'connect',
    text: `${client.displayName ?? client.id} · mode ${client.mode}`,
    onlineSince: connectedAtMs,
    ts: connectedAtMs,
  };
}
