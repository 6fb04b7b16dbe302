// Owns reading address books: vCard and CSV, whatever program wrote them. Linear, with caps; what is no address or number
// is left out and counted, never guessed at.
import { HardshellError } from '../../platform/errors.ts';
import { entryOf } from './entry.ts';
import type { Wanted } from './registry.ts';

export const MAX_CONTACTS_BYTES = 10_000_000;
const MAX_FOUND = 20_000;
const NUMBERS = /tel|phone|mobile|fon|handy|móvil|cell/i;
const MAILS = /mail/i;
const NAMES = /name|vorname|nachname|first|last|given|family/i;

export type Contacts = { readonly found: readonly Wanted[]; readonly skipped: number };

export function readContacts(fileName: string, text: string): Contacts {
  const bare = text.replace(/^\uFEFF/, '');
  const values = /^\s*BEGIN:VCARD/i.test(bare) ? cardsIn(bare) : /\.csv$|\.tsv$/i.test(fileName) ? rowsIn(bare) : null;
  if (values === null)
    throw new HardshellError({
      code: 'CONTACTS_UNREADABLE',
      message: `${JSON.stringify(fileName.slice(0, 80))} is neither a vCard file nor a table (.csv)`,
      fix: 'export the address book as vCard (.vcf) or CSV',
    });
  const found = new Map<string, Wanted>();
  let skipped = 0;
  for (const { name, value } of values) {
    const entry = entryOf('person', value);
    if (entry === null || found.size >= MAX_FOUND) skipped += 1;
    else if ((found.get(entry.value)?.name ?? '') === '') found.set(entry.value, { ...entry, name });
  }
  return { found: [...found.values()], skipped };
}

type Value = { readonly name: string; readonly value: string };

function cardsIn(text: string): Value[] {
  const values: Value[] = [];
  let card = { name: '', spare: '', values: [] as string[] };
  // A line that is too long goes on in the next one, after a blank.
  for (const line of text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const [property = '', ...parameters] = line.slice(0, Math.max(0, colon)).split(';');
    const kind = property.replace(/^.*\./, '').toUpperCase();
    const given = line.slice(colon + 1).trim();
    const isQuoted = parameters.some((one) => /quoted-printable/i.test(one));
    const value = (isQuoted ? unquoted(given) : given).replace(/\\([,;\\])/g, '$1');
    if (kind === 'BEGIN') card = { name: '', spare: '', values: [] };
    else if (kind === 'FN') card.name = value;
    else if (kind === 'N') card.spare = value.split(';').slice(0, 2).reverse().join(' ').trim();
    else if (kind === 'EMAIL' || kind === 'TEL') card.values.push(value);
    else if (kind === 'END') for (const one of card.values) values.push({ name: card.name || card.spare, value: one });
  }
  return values;
}

const unquoted = (text: string): string =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

function rowsIn(text: string): Value[] {
  const [head = [], ...rest] = tableIn(text);
  const isHead =
    head.some((cell) => MAILS.test(cell) || NUMBERS.test(cell)) && !head.some((cell) => cell.includes('@'));
  const rows = isHead ? rest : [head, ...rest];
  const isWanted = (column: number): boolean =>
    !isHead || ((MAILS.test(head[column] ?? '') || NUMBERS.test(head[column] ?? '')) && !/type|label/i.test(head[column] ?? '')); // biome-ignore format: one thought
  return rows.flatMap((row) => {
    const name = isHead
      ? row.filter((_cell, column) => NAMES.test(head[column] ?? '') && !MAILS.test(head[column] ?? '')).join(' ').trim() // biome-ignore format: one chain
      : (row.find((cell) => cell !== '' && !/[@\d]/.test(cell)) ?? '');
    // Google writes several into one cell.
    return row.flatMap((cell, column) =>
      isWanted(column) && (isHead || /@|^\+/.test(cell))
        ? cell.split(' ::: ').flatMap((value) => (value.trim() === '' ? [] : [{ name, value }]))
        : [],
    );
  });
}

/** Cells as spreadsheets write them: quoted when they hold a quote, a separator or a line feed. */
function tableIn(text: string): string[][] {
  const first = text.split('\n', 1)[0] ?? '';
  const separator = [',', ';', '\t'].reduce((best, one) => (first.split(one).length > first.split(best).length ? one : best), ','); // biome-ignore format: one thought
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endCell = (): void => {
    row.push(cell.trim());
    cell = '';
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (isQuoted && char === '"' && text[at + 1] === '"') cell += text[++at];
    else if (char === '"' && (isQuoted || cell.trim() === '')) isQuoted = !isQuoted;
    else if (!isQuoted && char === separator) endCell();
    else if (!isQuoted && char === '\n') {
      endCell();
      rows.push(row);
      row = [];
    } else if (char !== '\r') cell += char;
  }
  if (cell !== '' || row.length > 0) {
    endCell();
    rows.push(row);
  }
  return rows;
}
