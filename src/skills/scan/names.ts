// Owns telling a name that wants to be taken for another one: a letter more, less or swapped, or one that only looks alike.

/** Skills that many people know, and so the names that others borrow. */
const KNOWN =
  `github gmail slack notion weather trello spotify calendar obsidian discord telegram whatsapp summarize openclaw
  clawhub google-drive google-calendar google-workspace youtube twitter linkedin stripe shopify docker kubernetes terraform
  postgres reddit jira linear figma dropbox coinbase binance polymarket metamask solana ethereum bitcoin paypal notebooklm
  apple-notes apple-reminders imessage things-mac home-assistant openai-image-gen nano-banana bird camsnap coding-agent
  peekaboo tmux wacli sonoscli video-frames voice-call skill-creator 1password bitwarden`.split(/\s+/);

/** The name that it could be taken for, or null. */
export function takenFor(name: string, installed: readonly string[]): string | null {
  const others = [...KNOWN, ...installed].filter((other) => other.length >= 5);
  if (others.includes(name)) return null;
  return others.find((other) => isClose(name, other) || skeleton(name) === skeleton(other)) ?? null;
}

/** Digits for letters, and marks between words, that nobody remembers. */
const skeleton = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[-_.\s]/g, '')
    .replace(/0/g, 'o')
    .replace(/[1|]/g, 'l')
    .replace(/3/g, 'e')
    .replace(/5/g, 's')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w');

/** One letter more, less, another, or two swapped. */
function isClose(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  const rest = (text: string, by: number): string => text.slice(at + by);
  return (
    rest(a, 1) === rest(b, 1) ||
    rest(a, 1) === rest(b, 0) ||
    rest(a, 0) === rest(b, 1) ||
    (a[at] === b[at + 1] && a[at + 1] === b[at] && rest(a, 2) === rest(b, 2))
  );
}
