// Owns the spellings in which one secret can turn up: as it is, escaped for JSON or a URL, in base64, in hex, line by
// line, and in halves where a text was cut. It never decides what is hidden.

const HALVED_FROM_CHARS = 32;
const MIN_LINE_CHARS = 16;
const MIN_ENCODED_CHARS = 10;

/** All of them, each once; the secret itself first. */
export function spellingsOf(secret: string): string[] {
  const trimmed = secret.trim();
  const found = new Set([secret, trimmed]);
  for (const text of [secret, trimmed]) {
    const json = jsonEscaped(text);
    const others = [json.replaceAll('/', '\\/'), json.replace(/[<>&]/g, asciiEscape), ...htmlEscaped(text)];
    for (const one of [json, jsonEscaped(json), asciiJson(text), ...others, ...urlEncoded(text), ...base64Of(text)])
      found.add(one);
  }
  const hex = Buffer.from(trimmed).toString('hex');
  // What is hex itself says the same in capitals.
  const capitals = /^[0-9a-f]{32,}$/.test(trimmed) ? [trimmed.toUpperCase()] : [];
  for (const one of [hex, hex.toUpperCase(), ...capitals, ...halves(trimmed), ...lines(trimmed)]) found.add(one);
  return [...found].filter((one) => one !== '');
}

const jsonEscaped = (text: string): string => JSON.stringify(text).slice(1, -1);

const asciiJson = (text: string): string => jsonEscaped(text).replace(/[\u0080-\uffff]/g, asciiEscape);

const asciiEscape = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** As the error page of a server repeats it. */
function htmlEscaped(text: string): string[] {
  const plain = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = plain.replaceAll('"', '&quot;');
  const apostrophes = [quoted.replaceAll("'", '&#39;'), quoted.replaceAll("'", '&#x27;')];
  return [plain, quoted, ...apostrophes, ...apostrophes.map((one) => one.replaceAll('/', '&#x2F;'))];
}

/** As browsers, forms and strict encoders write it, with upper- and lower-case digits. */
function urlEncoded(text: string): string[] {
  if (!text.isWellFormed()) return [];
  const plain = encodeURIComponent(text);
  const strict = plain.replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const spellings = [plain, strict, plain.replaceAll('%20', '+'), strict.replaceAll('%20', '+'), encodeURI(text)];
  return spellings.flatMap((one) => [one, one.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/**
 * Inside a longer base64 text, such as `user:password` in a header, a secret begins at any of three places of a group of
 * four characters. What is the same whatever stands before and after it, is searched for.
 */
function base64Of(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const firm = whole.slice([0, 2, 3][before], (before + bytes.length) % 3 === 0 ? whole.length : -1);
    if (firm.length < MIN_ENCODED_CHARS) return [];
    return [firm, firm.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** A message that was cut still shows no more than half of it. */
function halves(text: string): string[] {
  if (text.length < HALVED_FROM_CHARS) return [];
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(-middle)];
}

/** A key of several lines may be printed line by line; its first and last line say only what it is. */
function lines(text: string): string[] {
  const all = text.split(/\r?\n/).map((line) => line.trim());
  return all.length < 2 ? [] : all.filter((line) => line.length >= MIN_LINE_CHARS && !line.startsWith('-----'));
}
