// Owns reading a value as people type it: JSON5 or bare text. It must never let the value of a secret pass that everybody
// on the machine could have read from the list of processes.
import { parseKeyPath, showKeyPath } from '../../../config/edit/key-path.ts';
import { explain } from '../../../config/explain.ts';
import { placeOf, schemaAt } from '../../../config/schema/tree.ts';
import { isRef, isSecretKey } from '../../../config/secrets.ts';
import { parseJson5, plainValue } from '../../../config/text/json5.ts';
import { describePosition, TextError } from '../../../config/text/position.ts';
import { createRedactor } from '../../../log/redact.ts';
import { type HardshellError, misused } from '../../../platform/errors.ts';
import { isObject } from '../../../platform/json.ts';
import { isVariable } from '../../../secrets/audit.ts';
import { nameFor } from '../../../secrets/migrate.ts';

export { parseKeyPath, showKeyPath };

/** A number is text where text is wanted; what is not JSON5 is text. */
export function readGiven(text: string, path: readonly string[]): unknown {
  let value: unknown;
  try {
    value = plainValue(parseJson5(text).root);
  } catch (error) {
    if (error instanceof TextError) return text;
    throw error;
  }
  const scalar = typeof value === 'number' || typeof value === 'boolean';
  return scalar && explain(path)?.kind === 'text' ? text : value;
}

/** An object for `config patch`. */
export function readPatch(text: string): unknown {
  if (text.trim() === '') throw notAnObject('it is empty');
  try {
    const value = plainValue(parseJson5(text).root);
    if (isObject(value)) return value;
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    // The place, never the line: it may hold a secret.
    const where = describePosition(text, error.offset).split(':')[0];
    throw notAnObject(`it is not JSON5 (${error.message}, ${where})`);
  }
  throw notAnObject('it is not an object');
}

export function refuseSecretWords(path: readonly string[], value: unknown): void {
  const place = secretIn(path, value, false);
  if (place === null) return;
  const key = showKeyPath(place);
  const name = nameFor(place.join('.'));
  throw misused(
    'SECRET_IN_ARGV',
    `${key} is a secret, and the words of a command can be read by others; nothing was changed`,
    key === 'gateway.auth.token' || key === 'gateway.authToken'
      ? 'openclaw token rotate'
      : `openclaw secrets set ${name}, then: openclaw config set ${key} '{ source: "file", id: "${name}" }'`,
  );
}

function secretIn(path: readonly string[], value: unknown, above: boolean): readonly string[] | null {
  if (isRef(value)) return null;
  const schema = schemaAt(path);
  const place = schema && placeOf(schema);
  const known = place?.kind === 'leaf';
  const secret = above || (known ? place.facts.secret === true : isSecretKey(path.at(-1) ?? ''));
  if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      const found = secretIn([...path, key], item, secret);
      if (found) return found;
    }
    return null;
  }
  if (typeof value === 'number') return secret ? path : null;
  if (typeof value !== 'string' || value === '' || isVariable(value)) return null;
  const shaped = (): boolean =>
    createRedactor()
      .find(value)
      .some(({ kind }) => kind !== 'named-value' && kind !== 'header');
  return secret || shaped() ? path : null;
}

const notAnObject = (why: string): HardshellError =>
  misused('PATCH_UNUSABLE', `the patch cannot be used: ${why}`, `openclaw config patch '{ gateway: { port: 19000 } }'`);
