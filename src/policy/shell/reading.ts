// Owns reading a command by bash's own grammar: plain steps (programs with literal words, joined by pipes and chains), and
// a doubt for everything whose meaning is known only when it runs. It must never guess; only here is the parser loaded.
import type {
  Assignment,
  Command,
  CommandArgument,
  ParsedScript,
  PipelineNode,
  Redirection,
  SyntaxNode,
  Word,
} from 'unbash';
import { FORMAT } from '../../platform/disguise.ts';
import { DOUBTS, type Doubt } from './doubts.ts';

/** `value` is null when only the run can tell it. */
export type Literal = { readonly text: string; readonly value: string | null };
export type Redirect = {
  readonly text: string;
  readonly operator: string;
  readonly fd: number | null;
  readonly target: Literal;
};
export type Segment = {
  readonly text: string;
  readonly words: readonly Literal[];
  readonly assigns: readonly { readonly text: string; readonly name: string; readonly value: string | null }[];
  readonly redirects: readonly Redirect[];
};
/** `before` joins it to the step before; `prefix` is bash's own `!` and `time`. */
export type Step = {
  readonly before: '' | ';' | '&&' | '||' | '|' | '|&';
  readonly prefix: string;
  readonly segment: Segment;
};
export type Reading = {
  readonly steps: readonly Step[];
  /** commands inside of anything that is no plain step; they are known, and never enough to allow by */
  readonly inner: readonly Segment[];
  /** empty: `steps` says all that it does */
  readonly doubts: readonly Doubt[];
};

const MAX_COMMAND_BYTES = 65_536;
const MAX_SEGMENTS = 50;
/** What may stand between words: joints, breaks, comments, and the two words that bash keeps for itself. */
const BETWEEN = /^(?:[ \t\n;|&!]|\\\n|(?<![^\s;|&])#[^\n]*(?=\n|$)|time(?![^\s;|&]))*$/;
const MAX_DEPTH = 24;
const MAX_HEREDOCS = 100;
const MAX_DOUBTS = 32;

const UNSHOWN = new RegExp(String.raw`[${FORMAT}]|[\x00-\x08\x0b-\x1f\x7f-\x9f]`, 'gu');
/** Also bytes that are no character: bash hands them on, and no text of ours can hold them. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]/;

let parser: Promise<typeof import('unbash')> | undefined;

export async function readCommand(command: string): Promise<Reading> {
  const refused = refusalOf(command);
  if (refused) return { steps: [], inner: [], doubts: [refused] };
  // Loaded only for whoever has commands judged: it costs memory.
  parser ??= import('unbash');
  const { parse, forEachChild } = await parser;
  try {
    return createReader(command, forEachChild).read(parse(command));
  } catch {
    return { steps: [], inner: [], doubts: [{ reason: DOUBTS.unreadable, mark: command.slice(0, 200) }] };
  }
}

function refusalOf(command: string): Doubt | null {
  if (Buffer.byteLength(command) > MAX_COMMAND_BYTES)
    return { reason: `it is longer than ${MAX_COMMAND_BYTES / 1024} kB`, mark: '', isHopeless: true };
  if (command.includes('\0') || !command.isWellFormed())
    return { reason: 'it holds characters that no command can have', mark: '', isHopeless: true };
  // The parser takes them in time that grows with the square of their number.
  if (command.split('<<').length > MAX_HEREDOCS)
    return { reason: `it has more than ${MAX_HEREDOCS} times <<`, mark: '<<' };
  return null;
}

type Visit = typeof import('unbash').forEachChild;

function createReader(command: string, forEachChild: Visit) {
  const steps: Step[] = [];
  const inner: Segment[] = [];
  const doubts: Doubt[] = [];
  const covered: (Word | Assignment | Redirection)[] = [];
  const doubt = (reason: string, mark: string): void => {
    if (doubts.length < MAX_DOUBTS) doubts.push({ reason, mark: mark.slice(0, 200) });
  };
  const textOf = ({ pos, end }: { pos: number; end: number }): string => command.slice(pos, end);

  function read(script: ParsedScript): Reading {
    for (const shown of new Set(command.match(UNSHOWN))) {
      const code = shown.codePointAt(0) ?? 0;
      doubt(DOUBTS.disguise, `U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
    }
    faults(script);
    for (const { command: node, background, ...rest } of script.commands) {
      if (background) doubt(DOUBTS.background, textOf(rest));
      const [nodes, joins] = node.type === 'AndOr' ? [node.commands, node.operators] : [[node], []];
      for (const [index, one] of nodes.entries()) pipeline(one, joins[index - 1] ?? ';');
    }
    if (!isCovered()) doubt(DOUBTS.unreadable, '');
    const count = steps.length + inner.length;
    if (count > MAX_SEGMENTS) {
      doubts.unshift({
        reason: `it is made of ${count} commands, and more than ${MAX_SEGMENTS} at once nobody can judge`,
        mark: '',
        isHopeless: true,
      });
    }
    if (count === 0 && doubts.length === 0) doubt(DOUBTS.empty, '');
    return { steps, inner, doubts };
  }

  const faults = (script: ParsedScript): void => {
    for (const { pos } of script.errors ?? []) doubt(DOUBTS.unreadable, command.slice(pos, pos + 40));
  };

  function pipeline(node: PipelineNode, join: Step['before']): void {
    const isPipeline = node.type === 'Pipeline';
    const nodes = isPipeline ? node.commands : [node];
    const prefix = isPipeline ? node.prefixes.map(({ type }) => (type === 'Time' ? 'time ' : '! ')).join('') : '';
    for (const [index, one] of nodes.entries()) {
      const before = index > 0 && isPipeline ? (node.operators[index - 1] ?? '|') : steps.length === 0 ? '' : join;
      if (one.type === 'Command') covered.push(...one.prefix, ...(one.name ? [one.name] : []), ...one.suffix);
      if (one.type === 'Command') steps.push({ before, prefix: index === 0 ? prefix : '', segment: segmentOf(one, 0) });
      else {
        doubt(DOUBTS.kinds[one.type] ?? DOUBTS.unreadable, textOf(one));
        descend(one, 0);
      }
    }
  }

  /** Whether the tree accounts for every character: the parser forgives where bash does not, and what it skips says something. */
  function isCovered(): boolean {
    if (doubts.length > 0) return true;
    const bodies = covered.flatMap((one) =>
      one.type === 'HereDoc' ? [{ pos: one.body.pos, end: one.closing?.end ?? one.body.end }] : [],
    );
    let at = 0;
    for (const { pos, end } of [...covered, ...bodies].sort((a, b) => a.pos - b.pos)) {
      if (!BETWEEN.test(command.slice(at, pos))) return false;
      at = Math.max(at, end);
    }
    return BETWEEN.test(command.slice(at));
  }

  /** Every command below `node`, which is no plain step. */
  function descend(node: SyntaxNode, depth: number): void {
    if (depth > MAX_DEPTH) {
      doubt(DOUBTS.depth, '');
      return;
    }
    forEachChild(node, (child) => {
      if (inner.length > MAX_SEGMENTS) return;
      if (child.type === 'Script') faults(child as ParsedScript);
      if (child.type === 'Command') inner.push(segmentOf(child, depth + 1));
      else descend(child, depth + 1);
    });
  }

  function segmentOf(node: Command, depth: number): Segment {
    const words = [...(node.name ? [node.name] : []), ...node.args].map((one) => literal(one, depth));
    const assigns = node.prefix.flatMap((one) => {
      if (one.type !== 'Assignment') return [];
      const { name, text } = one;
      const value = literal(one, depth).value;
      return [{ text, name, value: value === null ? null : value.slice(name.length + 1) }];
    });
    return { text: textOf(node), words, assigns, redirects: node.redirects.map((one) => redirect(one, depth)) };
  }

  function literal(node: CommandArgument, depth: number): Literal {
    if (node.type === 'Assignment') {
      const { name, value, append, index, text } = node;
      if (append || index || value.type === 'ArrayValue') {
        doubt(DOUBTS.assignment, text);
        descend(node, depth);
        return { text, value: null };
      }
      const inside = literal(value, depth);
      return { text, value: inside.value === null ? null : `${name}=${inside.value}` };
    }
    const why = whyUnknown(node);
    if (why === null) return { text: node.text, value: node.value };
    doubt(why, node.text);
    descend(node, depth);
    return { text: node.text, value: null };
  }

  function redirect(node: Redirection, depth: number): Redirect {
    const { descriptor, operator } = node;
    const text = node.type === 'HereDoc' ? `${operator}${node.delimiter?.text ?? ''}` : textOf(node);
    if (descriptor?.type === 'FileDescriptorVariable') doubt(DOUBTS.redirect, text);
    const fd = descriptor?.type === 'FileDescriptor' ? descriptor.value : null;
    if (node.type !== 'HereDoc') {
      if (!node.target) doubt(DOUBTS.unreadable, text);
      return { text, operator, fd, target: node.target ? literal(node.target, depth) : { text: '', value: null } };
    }
    const { body, delimiter, closing } = node;
    const isPlain = delimiter?.quoted === true || !/[$`\\]/.test(body.text);
    const target = { text: body.text, value: isPlain && closing && !CONTROL.test(body.text) ? body.text : null };
    // `<<-` also takes tabs away, which is not worth following.
    if (target.value === null || operator === '<<-') {
      doubt(DOUBTS.heredoc, text);
      descend(body, depth);
      return { text, operator, fd, target: { ...target, value: null } };
    }
    return { text, operator, fd, target };
  }
  return { read };
}

/** Null: bash makes exactly `word.value` of it. */
function whyUnknown(word: Word): string | null {
  const parts = word.parts ?? [];
  for (const part of parts) {
    if (part.type === 'Literal' || part.type === 'SingleQuoted' || part.type === 'AnsiCQuoted') continue;
    if (part.type !== 'DoubleQuoted') return DOUBTS.parts[part.type] ?? DOUBTS.unreadable;
    const unknown = part.parts.find(({ type }) => type !== 'Literal');
    if (unknown) return DOUBTS.parts[unknown.type] ?? DOUBTS.unreadable;
  }
  const bare =
    word.parts === undefined ? [word.text] : parts.flatMap((one) => (one.type === 'Literal' ? [one.text] : []));
  if (/^~/.test(word.text) || bare.some((text) => /[=:]~/.test(text))) return DOUBTS.tilde;
  return CONTROL.test(word.value) ? DOUBTS.control : null;
}
