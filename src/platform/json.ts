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

/** The fields of a JSON object, none of them checked; of anything else there are none. */
export function fieldsIn(text: string | null): Readonly<Record<string, unknown>> {
  const value = tryParseJson(text ?? '');
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
