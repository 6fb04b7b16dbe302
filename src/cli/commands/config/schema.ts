// Owns `openclaw config schema`: all of it for programs, one setting in words for people.
import { explain, jsonSchema, suggestKey } from '../../../config/explain.ts';
import { HardshellError } from '../../../platform/errors.ts';
import type { Context } from '../../context.ts';
import { factLines } from '../../print/table.ts';
import { parseKeyPath } from './given.ts';

export async function run({ out }: Context, _options: object, key?: string): Promise<undefined> {
  if (key === undefined) {
    const schema = jsonSchema();
    out.data(schema);
    out.text(`${JSON.stringify(schema, null, 2)}\n`);
    return;
  }
  const path = parseKeyPath(key);
  const found = explain(path);
  if (found === null) throw unknown(key, suggestKey(path));
  out.data(found);
  const facts: [string, string][] = [
    ['setting', found.path],
    ['what', found.doc],
    ['value', found.kind],
    ...(found.default === undefined ? [] : [['default', JSON.stringify(found.default)] as [string, string]]),
    ...(found.secret ? [['secret', 'yes: openclaw secrets set NAME, and refer to it'] as [string, string]] : []),
    ...(found.keys.length > 0 ? [['below', found.keys.join(', ')] as [string, string]] : []),
  ];
  for (const line of factLines(facts)) out.line(line);
}

const unknown = (key: string, near: string | undefined): HardshellError =>
  new HardshellError({
    code: 'CONFIG_PATH_UNKNOWN',
    message: `there is no setting ${key}`,
    fix: near === undefined ? 'openclaw config schema' : `did you mean openclaw config schema ${near}?`,
  });
