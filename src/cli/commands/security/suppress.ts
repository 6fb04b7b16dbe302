// Owns `openclaw security suppress`: a finding that the owner lives with until a day, with the reason; which there are; and
// ending one. What holds is decided in audit/suppress.ts; it stands in the configuration, where every change has its history.

import { CHECKS } from '../../../audit/checks/checks.ts';
import { configCheck } from '../../../audit/checks/config.ts';
import { endOfDay, MAX_SUPPRESSED_DAYS, problemOf } from '../../../audit/suppress.ts';
import { readAt, setAt, unsetAt } from '../../../config/edit/edit.ts';
import type { Config } from '../../../config/schema.ts';
import { unusable } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { nearestWord } from '../../suggest.ts';
import { change } from '../config/change.ts';
import { openConfig } from '../config/open.ts';

type Flags = { readonly until?: string; readonly why?: string; readonly list?: boolean; readonly remove?: boolean };
type Given = Config['security']['audit']['suppressions'][number];
const AT = ['security', 'audit', 'suppressions'];
const DAY_MS = 86_400_000;

export async function run(context: Context, flags: Flags, id?: string): Promise<number | undefined> {
  if (flags.list) return list(context);
  if (id === undefined)
    throw unusable('no check is named', 'openclaw security suppress ID --until DATE --why TEXT, or --list');
  if (flags.remove)
    return change(context, {}, `end the suppression of ${id}`, (text) => {
      const left = writtenIn(text).filter(({ checkId }) => checkId !== id);
      if (left.length === writtenIn(text).length)
        throw unusable(`${id.slice(0, 80)} is not suppressed`, 'openclaw security suppress --list');
      return left.length > 0 ? setAt(text, AT, left) : unsetAt(text, AT);
    });
  const ids = [...CHECKS, configCheck(new Set())].map((check) => check.id);
  if (!ids.includes(id)) {
    const near = nearestWord(id, ids);
    throw unusable(
      `there is no check "${id.slice(0, 80)}"`,
      near === undefined ? 'openclaw security audit --json lists all' : `did you mean ${near}?`,
    );
  }
  const nowMs = Date.now();
  const latest = new Date(nowMs + MAX_SUPPRESSED_DAYS * DAY_MS).toISOString().slice(0, 10);
  const { until = '', why = '' } = flags;
  const given: Given = { checkId: id, reason: why.trim(), expires: until };
  const endsMs = endOfDay(until);
  if (endsMs === null || endsMs <= nowMs)
    throw unusable('--until needs a day that is still to come', `such as --until ${latest}, which is the latest`);
  const problem = problemOf(given, nowMs);
  if (problem !== null && given.reason === '')
    throw unusable('--why is missing', "write it for whoever reads the next report: --why 'TEXT'");
  if (problem !== null) throw unusable(problem.what, `--until ${latest} is the latest`);
  return change(context, {}, `suppress ${id} until ${until}`, (text) =>
    setAt(text, AT, [...writtenIn(text).filter(({ checkId }) => checkId !== id), given]),
  );
}

const writtenIn = (text: string): readonly Given[] => {
  const written = readAt(text, AT);
  return Array.isArray(written) ? (written as Given[]) : [];
};

async function list({ out, env }: Context): Promise<undefined> {
  const { now } = await openConfig(env);
  const nowMs = Date.now();
  const all = (now.config?.security.audit.suppressions ?? []).map((one) => ({
    ...one,
    problem: problemOf(one, nowMs)?.what ?? null,
  }));
  out.data({ suppressions: all });
  for (const { checkId = '?', reason = '', expires = '', problem } of all)
    out.line(
      problem === null
        ? `until ${expires}  ${checkId}  ${reason}`
        : span('yellow', `not in force: ${problem}  ${checkId}  ${reason}`),
    );
  if (all.length === 0) out.note('nothing is suppressed');
}
