// Owns finding a text in a text in one pass over each (Knuth, Morris and Pratt). String.indexOf and split must not be used
// for what a model writes: a text made for it keeps them, and with them the whole gateway, busy for minutes.

/** Where `wanted` begins in `text`, from left to right and not overlapping: the places that split would cut out. */
export function matchesOf(text: string, wanted: string, most = Number.POSITIVE_INFINITY): number[] {
  const found: number[] = [];
  const borders = bordersOf(wanted);
  for (let at = 0, fits = 0; at < text.length && found.length < most; at++) {
    fits = longer(wanted, borders, fits, text.charCodeAt(at));
    if (fits < wanted.length) continue;
    found.push(at + 1 - fits);
    fits = 0;
  }
  return found;
}

/** For every beginning of the text: how long a beginning of it is its end as well. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  for (let at = 1, fits = 0; at < text.length; at++) {
    fits = longer(text, borders, fits, text.charCodeAt(at));
    borders[at] = fits;
  }
  return borders;
}

function longer(wanted: string, borders: Int32Array, before: number, code: number): number {
  let fits = before;
  while (fits > 0 && wanted.charCodeAt(fits) !== code) fits = borders[fits - 1] ?? 0;
  return wanted.charCodeAt(fits) === code ? fits + 1 : fits;
}

/** `text` with each of the places, as `matchesOf` found them, replaced. */
export function replaceAt(text: string, places: readonly number[], length: number, by: string): string {
  let end = 0;
  const parts = places.map((at) => {
    const before = text.slice(end, at);
    end = at + length;
    return before;
  });
  return [...parts, text.slice(end)].join(by);
}
