// Owns how text from outside is set off before a model reads it: markers with an id that nobody could guess, and nothing
// inside that looks like such a marker or like the control words of a model. Hygiene only: no decision rests on it.
import { randomBytes } from 'node:crypto';
import { FILLERS, FORMAT } from './disguise.ts';

const REMOVED = '[marker removed]';

/** What models take for the frame of a conversation, in the folded spelling. Every repetition is bounded. */
const MARKERS = new RegExp(
  [
    // ours, and what others use for the same
    '<{2,4} ?/?(?:end[_ ]?)?(?:external|untrusted)[a-z0-9_]{0,40}(?: [^<>\\n]{0,120}>{1,4}|>{0,4})',
    // ChatML, Llama 3, GPT-OSS, DeepSeek, Phi and their kin
    '<{1,2} ?\\|[ /]?[a-z0-9_.:/-]{1,60}(?: [a-z0-9_.:/-]{1,60}){0,3} ?\\| ?>{1,2}',
    // Llama 2, Mistral
    '\\[ ?/?(?:inst|tool_calls|available_tools|tool_results|tool_content|system_prompt|prefix|middle|suffix|think) ?\\]',
    '<< ?/?sys ?>>',
    '</?s>',
    // Gemma and others
    '</?(?:bos|eos|pad|unk|start_of_turn|end_of_turn|start_of_image|end_of_image|fim_prefix|fim_middle|fim_suffix)>',
    // calls and results of tools, and words of the house, as tags
    '</?(?:antml ?: ?)?(?:function_calls|function_results|function_call|invoke|parameter|tool_calls?|tool_results?|tool_response|tool_use|tool_outputs?|system|system-reminder|system_prompt|thinking|think)(?: [^<>\\n]{0,200})?>',
  ].join('|'),
  'g',
);

/** Not seen by anybody, and in no script needed so much that a page could not be read without it. */
const UNSEEN = new RegExp(String.raw`[${FORMAT}\u00ad\u034f\u180b-\u180e\ufe00-\ufe0f\u{e0100}-\u{e01ef}]`, 'u');
/** Joiners and variation selectors, which scripts and pictures need: they stay, but hide nothing. */
const KEPT = /\u200c|\u200d|\ufe0e|\ufe0f/;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const PLAIN = /^[\t\n\r -~]*$/;

/** Letters and signs that look like the ones that markers are made of, where NFKC does not know it. */
const ALIKE = new Map(
  Object.entries({
    '<': '‹〈❮❬⟨⧼⟪《«≪⋖᚜˂❰˱',
    '>': '›〉❯❭⟩⧽⟫》»≫⋗᚛˃❱˲',
    '|': '∣ǀ│┃❘⎮￨ⵏ׀',
    '[': '⟦【〔⁅❲',
    ']': '⟧】〕⁆❳',
    '/': '⁄∕⧸╱',
    _: '▁ˍ＿‗',
    '-': '‐‑‒–—−',
    a: 'аɑα',
    b: 'Ьв',
    c: 'сϲ',
    d: 'ԁ',
    e: 'еєε',
    g: 'ɡ',
    h: 'һ',
    i: 'іιɩı',
    j: 'ј',
    k: 'κк',
    l: 'ӏ',
    m: 'м',
    n: 'ոп',
    o: 'оοσ',
    p: 'рρ',
    q: 'ԛ',
    r: 'г',
    s: 'ѕ',
    t: 'тτ',
    u: 'υս',
    v: 'νѵ',
    w: 'ԝ',
    x: 'хχ',
    y: 'уγ',
    z: 'ᴢ',
  }).flatMap(([plain, others]) => [...others].map((other) => [other, plain] as const)),
);

/**
 * The same text without what is not seen and without what looks like a marker, however it is spelled. Linear in the text;
 * doing it twice changes nothing more.
 */
export function neutralise(text: string): string {
  const seen = PLAIN.test(text) ? text : withoutUnseen(text);
  let now = seen;
  // What stood around a marker could be one once that is gone; each round makes it shorter or is the last.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = withoutMarkers(now);
    if (next === now) return now;
    now = next;
  }
  return now.replace(/[<>[\]|]/g, ' ');
}
const MAX_ROUNDS = 4;

/** Set off by markers with a random id. `source` is ours, such as `web:www.example.net`; `lines` are facts about it. */
export function setOff(text: string, source: string): string {
  const id = randomBytes(8).toString('hex');
  const from = neutralise(source)
    .replace(/["\n<>]/g, ' ')
    .slice(0, 200);
  return `<<<EXTERNAL_UNTRUSTED_CONTENT id="${id}" source="${from}">>>\n${neutralise(text)}\n<<<END_EXTERNAL_UNTRUSTED_CONTENT id="${id}">>>`;
}

/** For whoever is no model: what was set off, without the markers around it. */
export const withoutFrames = (text: string): string => text.replace(FRAMES, '$2');
const FRAMES =
  /<<<EXTERNAL_UNTRUSTED_CONTENT id="([0-9a-f]{16})" source="[^"\n]*">>>\n([\s\S]*?)\n<<<END_EXTERNAL_UNTRUSTED_CONTENT id="\1">>>/g;

function withoutUnseen(text: string): string {
  let kept = '';
  for (const char of text.toWellFormed()) {
    if (char === '\u2028' || char === '\u2029') kept += '\n';
    else if (KEPT.test(char) || !(UNSEEN.test(char) || CONTROL.test(char)) || char === '\n' || char === '\r')
      kept += char;
  }
  return kept;
}

function withoutMarkers(text: string): string {
  const { folded, at } = fold(text);
  let done = '';
  let from = 0;
  for (const found of folded.matchAll(MARKERS)) {
    const start = at(found.index);
    done += `${text.slice(from, start)}${REMOVED}`;
    from = at(found.index + found[0].length);
  }
  return from === 0 ? text : done + text.slice(from);
}

type Folded = { readonly folded: string; at(index: number): number };

/** One spelling of width, case and look-alikes; `at` leads back to where a character of it came from. */
function fold(text: string): Folded {
  if (PLAIN.test(text)) return { folded: text.toLowerCase(), at: (index) => index };
  const from: number[] = [];
  let folded = '';
  let index = 0;
  for (const char of text) {
    const plain = foldedOf(char);
    for (let unit = 0; unit < plain.length; unit++) from.push(index);
    folded += plain;
    index += char.length;
  }
  from.push(text.length);
  return { folded, at: (where) => from[where] ?? text.length };
}

function foldedOf(char: string): string {
  if (char <= '\u007f') return char.toLowerCase();
  if (KEPT.test(char) || FILLER.test(char) || /\p{M}/u.test(char)) return '';
  const normal = (ALIKE.get(char) ?? char).normalize('NFKC').toLowerCase();
  return [...normal].map((one) => ALIKE.get(one) ?? one).join('');
}
const FILLER = new RegExp(`[${FILLERS}]`, 'u');
