// Owns the words for when: cron lines of five fields, in the time of this machine, and the short ones that people type. It
// looks at no clock.
import { type HardshellError, misused } from '../../platform/errors.ts';

const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;
const MINUTE_MS = 60_000;
const MAX_DAYS = 366 * 4;

/** At a time when people sleep. */
const SHORT: Readonly<Record<string, string>> = { hour: '17 * * * *', day: '17 3 * * *', week: '17 3 * * 0' };
export const SPANS = Object.keys(SHORT);

export function cronOf(words: string): string {
  const line = SHORT[words.trim().replace(/^every /, '')] ?? words.trim();
  fieldsOf(line);
  return line;
}

/** The first moment after `afterMs`, or null when there is none. */
export function nextDue(line: string, afterMs: number): number | null {
  const [minutes, hours, days, months, weekdays] = fieldsOf(line) as [Field, Field, Field, Field, Field];
  const at = new Date(Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS);
  for (let count = 0; count < MAX_DAYS; count++) {
    const byMonth = days.set.has(at.getDate());
    const byWeek = weekdays.set.has(at.getDay());
    // As cron has it: of two restrictions, either.
    const isDay = days.all || weekdays.all ? byMonth && byWeek : byMonth || byWeek;
    if (isDay && months.set.has(at.getMonth() + 1)) {
      const day = at.getDate();
      for (; at.getDate() === day; at.setTime(at.getTime() + MINUTE_MS))
        if (hours.set.has(at.getHours()) && minutes.set.has(at.getMinutes())) return at.getTime();
    } else at.setHours(24, 0, 0, 0);
  }
  return null;
}

type Field = { readonly set: ReadonlySet<number>; readonly all: boolean };

function fieldsOf(line: string): Field[] {
  const fields = line.split(/\s+/);
  if (fields.length !== RANGES.length) throw unusable(line);
  return RANGES.map(([low, high], index) => {
    const text = fields[index] ?? '';
    const set = new Set<number>();
    for (const part of text.split(',')) {
      const found = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
      if (found === null) throw unusable(line);
      const [, from, to, step] = found;
      const first = from === undefined ? low : Number(from);
      const last = to !== undefined ? Number(to) : from === undefined || step !== undefined ? high : first;
      const by = Number(step ?? 1);
      if (first < low || last > high || first > last || by < 1) throw unusable(line);
      for (let value = first; value <= last; value += by) set.add(index === 4 ? value % 7 : value);
    }
    return { set, all: text === '*' };
  });
}

const unusable = (line: string): HardshellError =>
  misused(
    'SCHEDULE_UNUSABLE',
    `"${line.slice(0, 60)}" says no time`,
    `${SPANS.join(', ')}, or a cron line such as "0 3 * * *"`,
  );
