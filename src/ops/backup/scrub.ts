// Owns the configuration as it goes into a backup that everybody could open: without the values of its secrets. It must
// never let one through because it stands in an odd place; a text that it cannot follow is left out as a whole.
import { unsetAt } from '../../config/edit/edit.ts';
import { type Inspection, inspectConfig } from '../../config/inspect.ts';
import type { Env, Paths } from '../../config/paths.ts';
import { isSecretKey, secretsIn } from '../../config/secrets.ts';
import { createRedactor } from '../../log/redact.ts';
import { spellingsOf } from '../../log/spellings.ts';
import { tryParseJson } from '../../platform/json.ts';
import { isVariable } from '../../secrets/audit.ts';

const MIN_CHARS = 6;

export type Scrubbed = {
  /** null: there is none, or nobody can say what in it is secret */
  readonly text: string | null;
  /** settings that are missing in it */
  readonly gone: readonly string[];
  /** whether another text has one of the secrets, by its value */
  holdsKnown(text: string): boolean;
  /** or what looks like one */
  holdsOne(text: string): boolean;
};

export function scrubConfig(now: Pick<Inspection, 'text' | 'raw' | 'understood' | 'config' | 'exists'>): Scrubbed {
  const redactor = createRedactor();
  const values = [...secretsIn(now.understood)]
    .map(({ holder, key }) => holder[key])
    .filter((value): value is string => typeof value === 'string' && value !== '' && !isVariable(value));
  for (const value of values) redactor.add(value);
  // Shorter ones stand in ordinary words.
  const spelled = values.flatMap(spellingsOf).filter((one) => one.length >= MIN_CHARS);
  const holdsKnown = (text: string): boolean => spelled.some((one) => text.includes(one));
  const isSecret = ({ key, value }: Text): boolean => value !== '' && isSecretKey(key) && !isVariable(value);
  const holdsOne = (text: string): boolean =>
    holdsKnown(text) || found(text).length > 0 || textsIn(tryParseJson(text), []).some(isSecret);
  const holds = { holdsKnown, holdsOne };
  // By its name alone much is taken for a secret; those settings are found by their key below.
  const found = (text: string) => redactor.find(text).filter(({ kind }) => kind !== 'named-value' && kind !== 'header');
  if (!now.exists || now.config === null) return { text: null, gone: now.exists ? ['openclaw.json'] : [], ...holds };
  const gone: string[] = [];
  try {
    let text = now.text;
    // From the last to the first, so that the places of a list stay what they are.
    for (const { path, value, key } of [...textsIn(now.raw, [])].reverse()) {
      if (isVariable(value) || !(values.includes(value) || isSecretKey(key) || found(value).length > 0)) continue;
      text = unsetAt(text, path);
      gone.push(path.join('.'));
    }
    // What is left stands in comments, or in the name of something.
    for (const { start, end } of found(text).reverse()) text = text.slice(0, start) + text.slice(end);
    for (const value of values) text = text.replaceAll(value, '');
    return { text, gone: gone.reverse(), ...holds };
  } catch {
    return { text: null, gone: ['openclaw.json'], ...holds };
  }
}

type Text = { readonly path: string[]; readonly value: string; readonly key: string };

function* textsIn(value: unknown, path: string[]): Generator<Text> {
  if (typeof value === 'string') yield { path, value, key: path.findLast((name) => !/^\d+$/.test(name)) ?? '' };
  else if (value !== null && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) yield* textsIn(item, [...path, key]);
}

export const inspect = (paths: Paths, env: Env): Inspection =>
  inspectConfig(paths, env, { resolveSecret: () => 'not asked for' });
