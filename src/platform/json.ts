// Owns reading JSON that nobody vouches for: from a platform, or from a file that a crash or a hand may have damaged. It
// never throws; what a value means is checked by whoever asks.

/** Undefined when it is no JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** No list, and not null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The fields of a JSON object, none of them checked; of anything else there are none. */
export function fieldsIn(text: string | null): Readonly<Record<string, unknown>> {
  const value = tryParseJson(text ?? '');
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The same text for the same value, in whatever order its keys were written. */
export function canonicalJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
  return text ?? 'null';
}
