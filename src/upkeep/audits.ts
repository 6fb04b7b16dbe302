// Owns when the gateway audits itself: after a change of the configuration, after an update, and weekly; that the owner hears
// what is new since the last time, and that `status` knows. The audit itself is a program of its own. Part of the composition.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Env, Paths } from '../config/paths.ts';
import type { Log } from '../log/log.ts';
import { type Known, type Last, readLast, writeLast } from '../ops/self-audit/last.ts';
import { carriedOver, newsBetween, newsText } from '../ops/self-audit/news.ts';
import type { Asked, Seen } from '../ops/self-audit/program.ts';
import { reasonOf } from '../platform/errors.ts';

export type AuditPorts = {
  readonly paths: Pick<Paths, 'stateDir'>;
  readonly env: Env;
  readonly version: string;
  readonly log: Log;
  readonly now: () => number;
  /** of the configuration that is in force */
  readonly configHash: () => string;
  /** for tests alone */
  readonly look?: (asked: Omit<Asked, 'program'>, signal: AbortSignal) => Promise<Seen>;
};
export type Audits = ReturnType<typeof createAudits>;

const FIRST_LOOK_MS = 60_000;
const NOTICE_EVERY_MS = 10_000;
const WEEK_MS = 7 * 24 * 3_600_000;
/** What was found may have been mended by hand. */
const AGAIN_MS = 3_600_000;
const MAX_REPAIRS = 10;

export function createAudits({ paths, env, version, log, now, configHash, look = aside }: AuditPorts) {
  const ending = new AbortController();
  let last: Last | null = readLast(paths);
  let isLooking = false;
  let seenMark = mark();
  let triedAtMs = Number.NEGATIVE_INFINITY;

  /** Changes with the configuration, and when `--fix` was used or taken back. */
  function mark(): string {
    const fixed = statSync(join(paths.stateDir, 'audit-fixes.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return `${configHash()} ${fixed}`;
  }

  /** Why it is time, or null. */
  function occasion(): string | null {
    const atMs = last?.atMs ?? Number.NEGATIVE_INFINITY;
    const isChanged = mark() !== seenMark;
    // One that came to nothing is tried again, but not at once.
    if (!isChanged && now() - triedAtMs < AGAIN_MS) return null;
    if (last === null) return 'at the start';
    if (isChanged || last.config !== configHash()) return 'after a change';
    if (last.version !== version) return 'after an update';
    if (now() - atMs >= WEEK_MS) return 'of this week';
    return last.known.length > 0 && now() - atMs >= AGAIN_MS ? 'again' : null;
  }

  async function audit(why: string, tell: (key: string, text: string) => void): Promise<void> {
    const [atMs, config] = [now(), configHash()];
    triedAtMs = atMs;
    seenMark = mark();
    const isWeekly = last === null || atMs - (last.hostAtMs ?? 0) >= WEEK_MS;
    const seen = await look({ env, stateDir: paths.stateDir, withHost: isWeekly }, ending.signal);
    const kept = last === null ? [] : carriedOver(last, new Set(seen.asked));
    const found: readonly Known[] = [...seen.known, ...kept];
    // The first time is what later ones are compared with; `status` shows it.
    const news = last === null ? null : newsText(newsBetween(last.known, found), why);
    last = { atMs, hostAtMs: isWeekly ? atMs : (last?.hostAtMs ?? atMs), version, config, known: found };
    writeLast(paths, last);
    log.info('security audit', { why, found: found.length });
    if (news !== null) tell(`audit:${atMs}`, news);
  }

  return {
    /** For the list in `status`, the worst first; nothing of a configuration that is not in force any more. */
    repairs(): readonly { readonly what: string; readonly fix: string }[] {
      const known = last?.config === configHash() ? last.known : [];
      const shown = known.slice(0, MAX_REPAIRS).map(({ evidence, fix }) => ({ what: evidence, fix }));
      const more = known.length - shown.length;
      return more > 0
        ? [...shown, { what: `and ${more} more findings of the audit`, fix: 'openclaw security audit' }]
        : shown;
    },
    /** Returns the way to end it. */
    start(tell: (key: string, text: string) => void): () => void {
      let isFirst = true;
      const notice = (): void => {
        if (isLooking) return;
        const why = occasion();
        if (why === null) return;
        isLooking = true;
        void audit(why, tell)
          .catch((error: unknown) => {
            if (!ending.signal.aborted) log.warn('the security audit came to nothing', { reason: reasonOf(error) });
          })
          .finally(() => {
            isLooking = false;
          });
      };
      const each = setInterval(() => {
        if (!isFirst) notice();
      }, NOTICE_EVERY_MS).unref();
      const first = setTimeout(() => {
        isFirst = false;
        notice();
      }, FIRST_LOOK_MS).unref();
      return () => {
        clearTimeout(first);
        clearInterval(each);
        ending.abort();
      };
    },
  };
}

async function aside(asked: Omit<Asked, 'program'>, signal: AbortSignal): Promise<Seen> {
  const { ownProgram } = await import('../ops/unit/facts.ts');
  const { lookAside } = await import('../ops/self-audit/program.ts');
  return lookAside({ ...asked, program: ownProgram() }, signal);
}
