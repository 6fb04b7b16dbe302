// Owns hiding secrets in text that leaves for a log or a screen: registered values first, then well-known shapes.
// Every pattern is linear; nothing can turn redaction off.

export type Redactor = { add(secret: string): void; redact(text: string): string };

const HIDDEN = '[redacted]';
const SHAPES: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\b(?:ghp|gho|ghs|github_pat|xoxb|xoxp|xapp)[_-][A-Za-z0-9_-]{16,}/g,
  /\b\d{8,10}:[A-Za-z0-9_-]{35}\b/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
];

export function createRedactor(): Redactor {
  const secrets = new Set<string>();
  return {
    add(secret) {
      // Shorter values would blank ordinary words.
      if (secret.length >= 8) secrets.add(secret);
    },
    redact(text) {
      let out = text;
      for (const secret of secrets) if (out.includes(secret)) out = out.replaceAll(secret, HIDDEN);
      for (const shape of SHAPES) out = out.replace(shape, HIDDEN);
      return out.replace(/\b(Bearer|token=|api_key=|apikey=)(\s?)[A-Za-z0-9._~+/=-]{12,}/gi, `$1$2${HIDDEN}`);
    },
  };
}
