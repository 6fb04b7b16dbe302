// Owns random ids. crypto.randomUUID exists only in secure contexts, and a gateway in the home network is often reached
// over plain http, so ids come from getRandomValues.

export function newId(): string {
  return hex(16);
}

/** Short enough to read in a session key. */
export function shortId(): string {
  return hex(5);
}

function hex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
