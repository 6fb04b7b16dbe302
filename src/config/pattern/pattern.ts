// Owns the patterns that people write to say what counts as a mention: a small part of regular expressions, matched in time
// linear in the text, whatever pattern and text are. It must never hand a pattern to the engine of the language.
import { type Piece, parsePattern } from './parse.ts';

export type Pattern = (text: string) => boolean;
export type ReadPattern = { readonly match: Pattern } | { readonly problem: string };

/** One step of the little machine; a `char` takes a character, the others take nothing. */
type Step =
  | { readonly kind: 'char'; readonly takes: (char: string) => boolean }
  | { readonly kind: 'fork'; readonly to: number[] }
  | { readonly kind: 'at'; readonly where: 'start' | 'end' | 'edge' | 'inside' }
  | { readonly kind: 'found' };

const MAX_STEPS = 256;
/** A mention stands where people see it: what comes after this much of a message is not looked at. */
const MAX_TEXT_CHARS = 16_000;
const WORD = /^[\p{L}\p{N}_]$/u;

/** Case does not matter. What is not understood is refused with the reason. */
export function readPattern(source: string): ReadPattern {
  const parsed = parsePattern(source);
  if ('problem' in parsed) return parsed;
  const steps: Step[] = [];
  if (!build(parsed.piece, steps)) return { problem: 'repeats too much; write the repetition smaller' };
  steps.push({ kind: 'found' });
  if (reachesEnd(steps)) return { problem: 'matches every message, also an empty one' };
  return { match: (text) => run(steps, text) };
}

/** False when it would grow too large. */
function build(piece: Piece, steps: Step[]): boolean {
  if (steps.length >= MAX_STEPS) return false;
  switch (piece.kind) {
    case 'char':
      steps.push({ kind: 'char', takes: piece.takes });
      return true;
    case 'at':
      steps.push(piece);
      return true;
    case 'row':
      return piece.of.every((part) => build(part, steps));
    case 'either':
      return either(piece.of, steps);
    case 'repeat':
      return repeat(piece, steps);
  }
}

function either(pieces: readonly Piece[], steps: Step[]): boolean {
  const fork = { kind: 'fork' as const, to: [] as number[] };
  steps.push(fork);
  const exits: { kind: 'fork'; to: number[] }[] = [];
  for (const piece of pieces) {
    fork.to.push(steps.length);
    if (!build(piece, steps)) return false;
    const exit = { kind: 'fork' as const, to: [] as number[] };
    exits.push(exit);
    steps.push(exit);
  }
  for (const exit of exits) exit.to.push(steps.length);
  return true;
}

function repeat({ of, least, most }: Extract<Piece, { kind: 'repeat' }>, steps: Step[]): boolean {
  for (let n = 0; n < least; n++) if (!build(of, steps)) return false;
  if (most === null) {
    const fork = { kind: 'fork' as const, to: [] as number[] };
    const top = steps.length;
    steps.push(fork);
    fork.to.push(steps.length);
    if (!build(of, steps)) return false;
    steps.push({ kind: 'fork', to: [top] });
    fork.to.push(steps.length);
    return true;
  }
  const skips: { kind: 'fork'; to: number[] }[] = [];
  for (let n = least; n < most; n++) {
    const fork = { kind: 'fork' as const, to: [steps.length + 1] };
    skips.push(fork);
    steps.push(fork);
    if (!build(of, steps)) return false;
  }
  for (const skip of skips) skip.to.push(steps.length);
  return true;
}

const reachesEnd = (steps: readonly Step[]): boolean => run(steps, '') && run(steps, 'a') && run(steps, ' ');

/** All ways at once, one character after another: each step is looked at once per character at most. */
function run(steps: readonly Step[], whole: string): boolean {
  const text = whole.length > MAX_TEXT_CHARS ? whole.slice(0, MAX_TEXT_CHARS) : whole;
  const chars = [...text.toLowerCase()];
  let active: number[] = [];
  const seenAt = new Int32Array(steps.length).fill(-1);
  for (let at = 0; at <= chars.length; at++) {
    const next: number[] = [];
    // A match may begin anywhere.
    const open = [...active, 0];
    const edge = isWord(chars[at - 1]) !== isWord(chars[at]);
    while (open.length > 0) {
      const index = open.pop() ?? 0;
      if (seenAt[index] === at) continue;
      seenAt[index] = at;
      const step = steps[index];
      if (!step) continue;
      if (step.kind === 'found') return true;
      if (step.kind === 'fork') open.push(...step.to);
      else if (step.kind === 'at') {
        const holds =
          step.where === 'start'
            ? at === 0
            : step.where === 'end'
              ? at === chars.length
              : (step.where === 'edge') === edge;
        if (holds) open.push(index + 1);
      } else {
        const char = chars[at];
        if (char !== undefined && step.takes(char)) next.push(index + 1);
      }
    }
    active = next;
  }
  return false;
}

const isWord = (char: string | undefined): boolean => char !== undefined && WORD.test(char);
