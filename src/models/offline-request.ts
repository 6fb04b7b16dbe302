// Owns the understanding of plain requests: one message in, one intention out, by fixed rules and in linear time. It must
// never guess: what fits no rule is `unclear`, and then nothing is done.
import {
  after,
  asFile,
  asPath,
  folder,
  indexOfAny,
  lower,
  MAX_PATH_CHARS,
  splitAt,
  unquoted,
  withoutEnvelope,
  withoutFence,
  withoutFillers,
  withoutPunctuation,
} from './offline-words.ts';

export type OfflineRequest =
  | { readonly kind: 'hello' | 'thanks' | 'help' | 'recall' }
  | { readonly kind: 'list'; readonly path: string | null }
  | { readonly kind: 'read'; readonly paths: readonly string[] }
  | { readonly kind: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly kind: 'edit'; readonly path: string; readonly oldText: string; readonly newText: string }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'remember'; readonly text: string }
  /** `example`: what a request of this sort has to look like */
  | { readonly kind: 'unclear'; readonly example: string | null };

const GREETINGS = new Set([
  '',
  ...`hello, hi, hey, there, hello there, good morning, good afternoon, good evening, good day, yo, greetings, ping,
  test`.split(/,\s+/),
]);
const THANKS = ['thanks', 'thank you', 'thx', 'great', 'cool', 'nice'];
const RECALL = `what do you remember, what you remember, do you remember, what do you know about me, show memory,
  your memory, my memories, what have i told you`.split(/,\s+/);
const HELP = `help, what can you do, what can i do, who are you, what are you, which model, what model, how do i,
  how does this work, are you an ai, are you real, commands`.split(/,\s+/);
const FILE_WORDS = ['files', 'folder', 'folders', 'directory', 'workspace', 'documents'];

const EXAMPLE = {
  read: 'read notes.md',
  write: 'write "buy milk" to todo.txt',
  append: 'append "call Anna" to todo.txt',
  edit: 'replace "milk" with "bread" in todo.txt',
  run: 'run wc -l todo.txt',
  remember: 'remember that my sister is called Anna',
};

const CONTENT_JOINTS = [
  ' with the content',
  ' with content',
  ' with the text',
  ' with text',
  ' containing',
  ' that says',
  ' saying',
  ' with ',
];

/** Enough of a message to see what it asks for; the rest is only ever content. */
const MAX_HEAD_CHARS = 2_000;

export function understand(message: string): OfflineRequest {
  const text = withoutEnvelope(message.trim());
  if (text.startsWith('$') && text.slice(1).trim() !== '') return { kind: 'run', command: text.slice(1).trim() };
  const request = withoutFillers(text);
  const head = lower(request.slice(0, MAX_HEAD_CHARS));
  const bare = withoutPunctuation(head);
  if (GREETINGS.has(bare)) return { kind: 'hello' };
  if (bare.length < 30 && THANKS.some((word) => bare.startsWith(word))) return { kind: 'thanks' };
  if (RECALL.some((phrase) => bare.slice(0, 200).includes(phrase)) || bare === 'recall' || bare === 'memory')
    return { kind: 'recall' };
  return (
    understandRun(request) ??
    understandRemember(request) ??
    understandEdit(request) ??
    understandAppend(request) ??
    understandWrite(request) ??
    understandList(request) ??
    understandRead(request) ??
    (bare === '?' || HELP.some((phrase) => bare.slice(0, 200).startsWith(phrase))
      ? { kind: 'help' }
      : { kind: 'unclear', example: null })
  );
}

function understandRun(request: string): OfflineRequest | null {
  const rest = after(request, ['run', 'execute', 'exec']);
  if (rest === null) return null;
  const command = unquoted(
    withoutFence(after(rest, ['the command', 'the shell command', 'this command', 'command', 'this']) ?? rest),
  );
  return command === '' ? { kind: 'unclear', example: EXAMPLE.run } : { kind: 'run', command };
}

function understandRemember(request: string): OfflineRequest | null {
  const rest = after(request, ['remember', 'memorize', 'note', 'keep in mind', "don't forget", 'do not forget']);
  if (rest === null) return null;
  const fact = (after(rest, ['that', 'this']) ?? rest).replace(/\s+/g, ' ').trim();
  if (fact.endsWith('?') && fact.length < 40) return { kind: 'recall' };
  return fact === '' ? { kind: 'unclear', example: EXAMPLE.remember } : { kind: 'remember', text: unquoted(fact) };
}

function understandEdit(request: string): OfflineRequest | null {
  let rest = after(request, ['edit', 'in']) ?? request;
  let path: string | null = null;
  if (rest !== request) {
    // "in notes.md replace A with B", "edit notes.md: replace A with B"
    const at = indexOfAny(lower(rest.slice(0, MAX_PATH_CHARS)), [
      ': replace ',
      ', replace ',
      ' replace ',
      ': change ',
      ', change ',
      ' change ',
    ]);
    path = at === null ? null : asPath(rest.slice(0, at.start));
    if (at === null || path === null)
      return after(request, ['edit']) === null ? null : { kind: 'unclear', example: EXAMPLE.edit };
    rest = rest.slice(at.start).replace(/^[:,]?\s+/, '');
  }
  const verb = after(rest, ['replace', 'substitute']) ?? after(rest, ['change']);
  if (verb === null) return null;
  const joint = after(rest, ['change']) === null ? ' with ' : ' to ';
  let body = verb;
  if (path === null) {
    const at = lower(body).lastIndexOf(' in ');
    path = at < 0 ? null : asPath(body.slice(at + 4));
    body = at < 0 ? body : body.slice(0, at);
  }
  const split = splitAt(body, joint) ?? splitAt(body, ' with ') ?? splitAt(body, ' by ');
  if (path === null || split === null) return { kind: 'unclear', example: EXAMPLE.edit };
  const [oldText, newText] = [unquoted(split[0]), unquoted(split[1])];
  return oldText === '' ? { kind: 'unclear', example: EXAMPLE.edit } : { kind: 'edit', path, oldText, newText };
}

function understandAppend(request: string): OfflineRequest | null {
  const rest = after(request, ['append', 'add']);
  if (rest === null) return null;
  const target = after(rest, ['to']);
  const colon = target?.indexOf(': ') ?? -1;
  if (target !== null && colon > 0) {
    const path = asFile(target.slice(0, colon));
    if (path !== null) return { kind: 'append', path, text: unquoted(target.slice(colon + 2)) };
  }
  const at = lower(rest).lastIndexOf(' to ');
  const path = at < 0 ? null : asFile(rest.slice(at + 4));
  const said = at < 0 ? '' : rest.slice(0, at);
  const text = unquoted(after(said, ['the line', 'a line saying', 'a line', 'the text', 'text', 'line']) ?? said);
  return path === null || text === '' ? { kind: 'unclear', example: EXAMPLE.append } : { kind: 'append', path, text };
}

function understandWrite(request: string): OfflineRequest | null {
  const rest = after(request, ['write', 'create', 'make', 'save', 'put', 'new file', 'store']);
  if (rest === null) return null;
  // Only "create" and "make" say for sure that a file is what comes next.
  const named = after(request, ['create', 'make', 'new file']) === null ? asFile : asPath;
  const newline = rest.indexOf('\n');
  const first = newline < 0 ? rest : rest.slice(0, newline);
  const below = newline < 0 ? '' : rest.slice(newline + 1);
  // "create notes.md with the content …", also over several lines
  const joint = indexOfAny(lower(first.slice(0, MAX_PATH_CHARS)), CONTENT_JOINTS);
  const target = joint === null ? null : named(first.slice(0, joint.start));
  if (joint !== null && target !== null) {
    const content = (first.slice(joint.end) + (newline < 0 ? '' : `\n${below}`)).replace(/^:?[ \n]?/, '');
    return { kind: 'write', path: target, text: unquoted(withoutFence(content)) };
  }
  // "write notes.md:" and the content below
  const heading = named(first.trim().replace(/:$/, ''));
  if (below.trim() !== '' && heading !== null) return { kind: 'write', path: heading, text: withoutFence(below) };
  // "write hello to notes.md"
  for (const word of [' to ', ' into ', ' in ', ' as ']) {
    const at = lower(rest).lastIndexOf(word);
    const path = at < 0 ? null : asFile(rest.slice(at + word.length));
    if (path !== null) return { kind: 'write', path, text: unquoted(withoutFence(rest.slice(0, at))) };
  }
  // "write notes.md: hello"
  const colon = first.indexOf(': ');
  const before = colon < 0 ? null : named(first.slice(0, colon));
  if (before !== null) return { kind: 'write', path: before, text: unquoted(rest.slice(colon + 2)) };
  // "create notes.md"
  return heading === null || named === asFile
    ? { kind: 'unclear', example: EXAMPLE.write }
    : { kind: 'write', path: heading, text: '' };
}

function understandList(request: string): OfflineRequest | null {
  const plain = after(request, ['ls', 'dir']);
  if (plain !== null) return { kind: 'list', path: folder(plain) };
  const start = lower(request.slice(0, 300));
  const isList = start.startsWith('list');
  const asks =
    isList || ['show', 'what', 'which', 'display', 'tell me', 'give me', 'see'].some((word) => start.startsWith(word));
  if (!asks || !(isList || FILE_WORDS.some((word) => start.includes(word)))) return null;
  const at = Math.max(...[' in ', ' of ', ' under ', ' inside ', ' from '].map((word) => start.lastIndexOf(word)));
  if (at >= 0) return { kind: 'list', path: folder(request.slice(request.indexOf(' ', at + 1) + 1)) };
  const named = after(request, ['list']) ?? '';
  return { kind: 'list', path: FILE_WORDS.some((word) => lower(named).includes(word)) ? null : folder(named) };
}

function understandRead(request: string): OfflineRequest | null {
  const rest = after(request, [
    'read',
    'cat',
    'open',
    'view',
    'print',
    'display',
    'show me',
    'show',
    'what is in',
    "what's in",
  ]);
  if (rest === null) return null;
  const pieces = rest.slice(0, MAX_HEAD_CHARS).split(/, | and /, 8);
  const paths = pieces.map(asPath).filter((path) => path !== null);
  if (paths.length === 1 && paths[0]?.endsWith('/')) return { kind: 'list', path: folder(paths[0]) };
  return paths.length === pieces.length ? { kind: 'read', paths } : { kind: 'unclear', example: EXAMPLE.read };
}
