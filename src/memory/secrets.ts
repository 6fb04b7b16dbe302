// Owns refusing to remember what is secret (guide 003, S186): keys and passwords as the log knows them and as
// people say them, and numbers of payment cards. Its refusal says where and what kind, and must never repeat any of it.
import { HardshellError } from '../platform/errors.ts';

type Find = (text: string) => readonly { readonly start: number; readonly kind: string }[];

export function refuseSecrets(text: string, path: string, find: Find): void {
  const [first] = [...find(text), ...cardsIn(text), ...saidIn(text)].sort((a, b) => a.start - b.start);
  if (first === undefined) return;
  const line = text.slice(0, first.start).split('\n').length;
  throw new HardshellError({
    code: 'SECRET_IN_MEMORY',
    message: `${path} was not changed: line ${line} of the new text holds what looks like a secret (${first.kind})`,
    fix: 'leave it out; the owner keeps secrets with: openclaw secrets set',
    httpStatus: 422,
  });
}

/** `my password for the router is hunter2`, in English and German: the name, and the word that stands for the value. */
const SAID =
  /(?<![\p{L}\d])(pin|pass(?:word|wort|phrase|code)|kennwort|(?:api|access|secret)[ -]?(?:key|token))\b(?: (?:code|for|of|to|at|on|für|von|vom|zum|zur)\b[^\n.,;:=]{0,40}?)?[*_`"']{0,3}[ \t]{0,3}(?:(?:is|ist|lautet|was|war)\b(?: (?:now|jetzt))?[ \t]{0,3}:?|[:=])[ \t*_`"'„“]{0,6}([^\s"'`“”]{4,128})(?=(["'`“”*_]*[ \t]*(?:$|[\n.,;!)]))?)/giu;
const ELSEWHERE =
  /^(?:https?:|~?[\w.-]*\/|1password|\d+-?(?:char|digit|letter|word|bit|stellig|zeichen)|\d{4}-\d\d-\d\d$)/i;
/** What a sentence about a password ends with; a key is no word. */
const ABOUT =
  /(?:ed|ing|ous|ful|less|able|ible|ive|al|ten|lich|ig)$|^(?:(?:ge|ver|be|un|ein|aus)\p{L}+t|wrong|right|(?:in)?correct|missing|(?:un)?known|(?:in)?valid|weak|strong|(?:in)?secure|secret|safe|private|empty|blank|lost|long|short|easy|hard|good|fine|okay|here|there|below|above|same|different|unique|mandatory|none|nothing|random|default|public|gone|reset|yours|mine|falsch|leer|sicher|geheim|schwach|stark|lang|kurz|gleich)$/iu;

function saidIn(text: string): { start: number; kind: string }[] {
  return [...text.matchAll(SAID)].flatMap(({ 0: whole, 1: name = '', 2: said = '', 3: end, index }) => {
    const word = said.replace(/[.,;:!?)*_]+$/, '');
    const isEnd = end !== undefined || word !== said;
    const isValue = /^pin$/i.test(name)
      ? /^\d{4,12}$/.test(word)
      : /[\d@#$%^&+=!]/.test(word) || (isEnd && /^[pk]/i.test(name) && /^\p{L}{4,}$/u.test(word) && !ABOUT.test(word));
    return isValue && !ELSEWHERE.test(word)
      ? [{ start: index + whole.length - said.length, kind: 'password in words' }]
      : [];
  });
}

const DIGITS = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])/g;

/** With the check digit of payment cards, which one of ten numbers has by chance. */
function cardsIn(text: string): { start: number; kind: string }[] {
  return [...text.matchAll(DIGITS)].flatMap(({ 0: found, index }) =>
    isCard(found.replace(/\D/g, '')) ? [{ start: index, kind: 'payment card' }] : [],
  );
}

function isCard(digits: string): boolean {
  if (!/^[3-6]/.test(digits) || /^(\d)\1+$/.test(digits)) return false;
  let sum = 0;
  for (const [index, digit] of [...digits].reverse().entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}
