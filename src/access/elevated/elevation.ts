// Owns the windows in which a chat of the owner may ask for a command outside the box: who may open one, until when it is
// open, and that it ends by itself. Kept in memory alone, so that a restart closes all. A window permits nothing by itself.
import type { Speaking } from '../admit.ts';

export type ElevationSettings = { readonly enabled: boolean; readonly allowFrom: readonly (string | number)[] };
export type ElevationPorts = {
  readonly now: () => number;
  readonly settings: () => ElevationSettings;
  /** the gateway runs as root, and would refuse every command that asks */
  readonly isRoot?: boolean;
  record(kind: 'elevation.opened' | 'elevation.closed', body: Record<string, unknown>): void;
};
/** `minutes` 0 closes it, null asks how it is. */
export type ElevationWord = { readonly name: 'elevated'; readonly minutes: number | null };
export type OpenWindow = { readonly id: string; readonly chat: string; readonly untilMs: number };

/** Only asks. */
export const ASKS: ElevationWord = { name: 'elevated', minutes: null };
const DEFAULT_MINUTES = 15;
const MAX_MINUTES = 60;

export type Elevation = ReturnType<typeof createElevation>;

/** How the settings name a person. Whoever holds a connection of the gateway's own clients is the owner. */
export const idOf = ({ channel, sender }: Pick<Speaking, 'channel' | 'sender'>): string =>
  channel === 'webchat' ? 'webchat:owner' : `${channel}:${sender}`;

/** `/elevated`, `/elevated on`, `/elevated on 30`, `/elevated off`. Null: it is a message like any other. */
export function elevationIn(written: string): ElevationWord | null {
  const found = /^\s*\/elevated(?:@[\w-]{2,40})?(?:\s+(on|off)(?:\s+(\d{1,4})\s*m?)?)?\s*$/i.exec(written);
  if (!found) return null;
  const [, word, minutes] = found;
  if (word === undefined) return { name: 'elevated', minutes: null };
  return { name: 'elevated', minutes: word.toLowerCase() === 'off' ? 0 : Number(minutes ?? DEFAULT_MINUTES) };
}

export function createElevation({ now, settings, isRoot = false, record }: ElevationPorts) {
  const windows = new Map<string, { readonly speaker: Speaking; readonly untilMs: number }>();
  const keyOf = ({ channel, account, chat }: Speaking): string => [channel, account, chat].join('\0');

  /** Why this person may not, or null. */
  const refusal = ({ principal, place, ...who }: Speaking): 'off' | 'not the owner' | 'not listed' | null => {
    const { enabled, allowFrom } = settings();
    if (!enabled) return 'off';
    if (principal.kind !== 'owner' || place !== 'dm') return 'not the owner';
    return allowFrom.map(String).includes(idOf(who)) ? null : 'not listed';
  };
  const close = (key: string, why: string): void => {
    const found = windows.get(key);
    if (!found || !windows.delete(key)) return;
    record('elevation.closed', { id: idOf(found.speaker), chat: found.speaker.chat, why });
  };
  /** Until when it is open in this chat for this person; null when it is not. */
  const untilMs = (speaker: Speaking): number | null => {
    const found = windows.get(keyOf(speaker));
    if (!found || found.untilMs <= now() || refusal(speaker) !== null) return null;
    return idOf(found.speaker) === idOf(speaker) ? found.untilMs : null;
  };

  return {
    refusal,
    untilMs,
    /** What the owner said, and what they are told. */
    say(speaker: Speaking, { minutes }: ElevationWord): string {
      const why = refusal(speaker);
      if (why === 'off') return 'No command leaves the box: tools.elevated is off in your settings.';
      if (why === 'not the owner') return 'Only the owner may do that, in their own direct chat.';
      if (why === 'not listed') return `Your settings do not list ${idOf(speaker)} in tools.elevated.allowFrom.`;
      if (minutes === null) return told(untilMs(speaker), now());
      if (minutes === 0) {
        const wasOpen = untilMs(speaker) !== null;
        close(keyOf(speaker), 'asked');
        return wasOpen ? 'Closed: every command runs in the box again.' : 'It was closed already.';
      }
      if (minutes > MAX_MINUTES) return `At most ${MAX_MINUTES} minutes: /elevated on ${MAX_MINUTES}`;
      const until = now() + minutes * 60_000;
      windows.set(keyOf(speaker), { speaker, untilMs: until });
      record('elevation.opened', { id: idOf(speaker), chat: speaker.chat, minutes });
      const opened = `Open for ${minutes} min: a command may ask to run outside the box, and you are asked about each. /elevated off closes it.`;
      return isRoot ? `${opened} ${AS_ROOT}` : opened;
    },
    open: (): OpenWindow[] =>
      [...windows.values()].flatMap(({ speaker }) => {
        const until = untilMs(speaker);
        return until === null ? [] : [{ id: idOf(speaker), chat: speaker.chat, untilMs: until }];
      }),
    /** Every chat's at once. */
    end(): number {
      const keys = [...windows.keys()];
      for (const key of keys) close(key, 'asked');
      return keys.length;
    },
    /** Rights were given or taken. */
    recheck(holds: (speaker: Speaking) => boolean): void {
      for (const [key, { speaker, untilMs: until }] of [...windows])
        if (until <= now() || refusal(speaker) !== null || !holds(speaker)) close(key, 'over');
    },
  };
}

const AS_ROOT =
  'But the gateway runs as root, and as root none will run: openclaw gateway install --system-user openclaw';

const told = (untilMs: number | null, nowMs: number): string =>
  untilMs === null
    ? `Closed: every command runs in the box. /elevated on ${DEFAULT_MINUTES} opens it for so many minutes.`
    : `Open for ${Math.max(1, Math.ceil((untilMs - nowMs) / 60_000))} more min. /elevated off closes it.`;
