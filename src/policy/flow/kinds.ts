// Owns which words of a person name which kind of act, so that "summarise my inbox" is no word for sending. A table: the
// first word of a row is what tools are called, the others are what people say.

const KINDS: readonly (readonly string[])[] = [
  `send, message, post, reply, answer, write, tell, mail, email, e-mail, forward, share, notify, inform, text, ask,
  announce, publish, respond, dm, schick, schicke, sende, schreib, schreibe, antworte, sag, teile, poste, frag`,
  `create, add, make, new, schedule, plan, book, reserve, set, put, note, save, write, draft, append, start, open,
  record, store, remember, remind, insert, generate, leg, lege, erstelle, trag, notiere, buche, reserviere, plane,
  merk`,
  `update, change, edit, modify, move, reschedule, rename, set, replace, correct, fix, adjust, mark, postpone,
  ändere, verschiebe, benenne, korrigiere`,
  `delete, remove, cancel, erase, clear, drop, kick, unsubscribe, discard, trash, lösche, entferne, storniere, sag ab`,
  `invite, add, grant, share, give access, let, lade, gib, teile`,
  `pay, transfer, refund, buy, purchase, order, send, transaction, money, zahle, bezahle, überweise, kaufe, bestelle,
  erstatte`,
  `memory, remember, memorise, memorize, forget, note, save, keep, record, store, merk, merke, notiere, erinnere, vergiss`,
  `fetch, get, visit, open, read, browse, website, websites, webpage, page, link, links, url, article, articles,
  site, web, blog, download, besuche, öffne, lies, seite, artikel, webseite`,
  `click, press, submit, upload, tap, hit, klick, klicke, drück, drücke, lade`,
].map((row) => row.split(/,\s+/));

/** The rows that the words name something of. */
export function kindsIn(words: string): ReadonlySet<number> {
  const said = new Set(words.toLowerCase().match(/[\p{L}-]+/gu) ?? []);
  return new Set(KINDS.flatMap((row, index) => (row.some((word) => saysWord(said, word)) ? [index] : [])));
}

/** Tools of ours whose names would be named by too much: one also writes an answer. */
const CALLED: Readonly<Record<string, string>> = { memory_write: 'memory' };

/** Whether the tool's name speaks of one of these kinds. A name that says nothing is named by nothing. */
export function isOfKind(tool: string, kinds: ReadonlySet<number>): boolean {
  const called = (Object.hasOwn(CALLED, tool) ? (CALLED[tool] ?? tool) : tool)
    .slice(0, 200)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u);
  return KINDS.some((row, index) => kinds.has(index) && called.some((part) => row.includes(part)));
}

/** Also in the forms that verbs have: sends, sending, posted, replies. */
function saysWord(said: ReadonlySet<string>, word: string): boolean {
  if (word.includes(' ')) return word.split(' ').every((part) => said.has(part));
  const stem = word.replace(/e$/, '');
  return [word, `${word}s`, `${word}es`, `${stem}ed`, `${stem}ing`, word.replace(/y$/, 'ies')].some((form) =>
    said.has(form),
  );
}
