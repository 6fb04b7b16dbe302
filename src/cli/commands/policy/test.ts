// Owns `openclaw policy test`: a person's own table of calls and the decisions they expect, so that a policy can be tested
// like a program. It runs nothing; exit 0 says that all is as expected, 1 that something is not.
import { parseJson5, plainValue } from '../../../config/text/json5.ts';
import { describePosition, TextError } from '../../../config/text/position.ts';
import { EXIT, HardshellError, reasonOf } from '../../../platform/errors.ts';
import { tryReadText } from '../../../platform/files.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { nearestWord } from '../../suggest.ts';
import { type Answer, answerTo } from './explain.ts';
import { type Asked, openGround, usage } from './question.ts';

const MAX_CHARS = 1_048_576;
const MAX_ENTRIES = 5_000;
const DECISIONS = ['allow', 'ask', 'deny'];
const TEXTS = [
  'tool',
  'channel',
  'chat',
  'sender',
  'place',
  'guild',
  'account',
  'agent',
  'command',
  'path',
  'to',
  'url',
  'expect',
  'key',
  'name',
];

type Expected = Asked & { readonly expect: string; readonly key?: string; readonly name?: string };

export async function run(context: Context, _options: object, file: string): Promise<number> {
  const { out } = context;
  const entries = readEntries(file);
  const ground = openGround(context);
  for (const note of ground.notes) out.note(span('yellow', note));
  // A slip in the last entry is said before the first is answered.
  const answers = await Promise.all(
    entries.map((entry, index) =>
      answerTo(ground, entry).catch((error: unknown) => {
        if (!(error instanceof HardshellError)) throw error;
        throw usage(`${file}, entry ${index + 1}: ${error.message}`, error.fix ?? 'correct it');
      }),
    ),
  );
  const results = [];
  for (const [index, answer] of answers.entries()) {
    const entry = entries[index];
    if (!entry) continue;
    const wanted = entry.expect + (entry.key === undefined ? '' : ` by ${entry.key}`);
    const got = answer.decision + (answer.key === '' ? '' : ` by ${answer.key}`);
    const isRight = answer.decision === entry.expect && (entry.key === undefined || entry.key === answer.key);
    results.push({ entry: index + 1, name: nameOf(entry), isRight, expected: wanted, got, ...factsOf(answer) });
    if (isRight) out.line(span('green', 'good '), ` ${index + 1}  ${nameOf(entry)}: ${got}`);
    else {
      out.line(span('red', 'wrong'), ` ${index + 1}  ${nameOf(entry)}: expected ${wanted}, and it is ${got}`);
      out.line(`         ${saidBy(answer)}`);
    }
  }
  const wrong = results.filter(({ isRight }) => !isRight).length;
  out.data({ file, good: results.length - wrong, wrong, results });
  out.line(`${results.length - wrong} as expected, ${wrong} not`);
  return wrong === 0 ? EXIT.ok : EXIT.failure;
}

const factsOf = ({ decision, key, code, reason, fix, layers }: Answer) => ({
  decision,
  key,
  code,
  reason,
  fix,
  layers,
});

/** Which layer said what, where it was not what was expected. */
function saidBy({ reason, layers }: Answer): string {
  const objecting = layers.filter(({ rule }) => rule !== 'allow');
  if (objecting.length === 0) return reason || 'no layer holds it back';
  return objecting.map(({ layer, rule, key, why }) => `${layer} says ${rule} (${key}): ${why}`).join('; ');
}

function nameOf({ name, tool, channel, chat, sender, command, path }: Expected): string {
  const where = chat === undefined ? channel : `${channel}:${chat}`;
  const parts = [where && `in ${where}`, sender && `by ${sender}`, command && `"${command}"`, path];
  return name ?? [tool, ...parts.filter((part) => part)].join(' ');
}

function readEntries(file: string): Expected[] {
  const bad = (why: string, fix = 'see docs/policy.md for an example'): HardshellError => usage(`${file}: ${why}`, fix);
  let text: string | null;
  try {
    text = tryReadText(file);
  } catch (error) {
    throw bad(`it cannot be read (${reasonOf(error).slice(0, 120)})`, `ls -l ${file}`);
  }
  if (text === null) throw bad('there is no such file', 'name a file with a list of calls');
  if (text.length > MAX_CHARS) throw bad(`it has more than ${MAX_CHARS} characters`);
  const list = parsed(text, bad);
  if (!Array.isArray(list)) throw bad('it is no list');
  if (list.length > MAX_ENTRIES) throw bad(`it has more than ${MAX_ENTRIES} entries`);
  return list.map((one: unknown, index) => {
    const wrong = (why: string): HardshellError => bad(`entry ${index + 1} ${why}`);
    if (one === null || typeof one !== 'object' || Array.isArray(one)) throw wrong('is no object');
    const texts: [string, string][] = Object.entries(one).map(([key, value]) => {
      const close = nearestWord(key, TEXTS);
      if (!TEXTS.includes(key))
        throw wrong(`has "${key}", which means nothing here${close ? `, did you mean "${close}"?` : ''}`);
      const isId = Number.isSafeInteger(value) && ['chat', 'sender', 'guild'].includes(key);
      if (typeof value !== 'string' && !isId) throw wrong(`has ${key}, which is no text`);
      return [key, String(value)];
    });
    const entry = Object.fromEntries(texts) as Partial<Expected>;
    if (!entry.tool) throw wrong('names no tool');
    if (!DECISIONS.includes(entry.expect ?? '')) throw wrong('has no expect: allow, ask or deny');
    return entry as Expected;
  });
}

function parsed(text: string, bad: (why: string) => HardshellError): unknown {
  try {
    return plainValue(parseJson5(text).root);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    throw bad(`it is no JSON5: ${error.message} ${describePosition(text, error.offset)}`);
  }
}
