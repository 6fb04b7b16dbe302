// Owns `openclaw config diff`. Secrets are shown only as the same or not the same.
import { versionText } from '../../../config/edit/history.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { changedLines } from './change.ts';
import { present, versionBefore, versionId } from './history.ts';

export async function run({ out, env }: Context, _options: object, from?: string, to?: string): Promise<undefined> {
  const { paths, text, hash } = present(env);
  const before = from === undefined ? versionBefore(paths.stateDir, hash).id : versionId(from);
  const after = to === undefined ? text : versionText(paths.stateDir, versionId(to));
  const lines = changedLines(versionText(paths.stateDir, before), after);
  out.data({ from: before, to: to === undefined ? null : versionId(to), lines });
  out.note(span('dim', `version ${before} -> ${to === undefined ? 'the file as it is' : `version ${to}`}`));
  for (const line of lines) out.line(line.startsWith(' ') ? line : span(line.startsWith('+') ? 'green' : 'red', line));
  if (lines.length === 0) out.note('no difference');
}
