// Owns how a setting is named on a command line: `gateway.port`, `channels.discord.guilds["12.3"].users`, `list[0]`.
import { type HardshellError, misused } from '../../platform/errors.ts';

const PART = /\.?([^.[\]"'\s]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['([^'\\]*)'\]/y;

export function parseKeyPath(text: string): string[] {
  const path: string[] = [];
  let at = 0;
  while (at < text.length) {
    PART.lastIndex = at;
    const found = PART.exec(text);
    if (!found || (at === 0 && text.startsWith('.'))) throw unreadable(text);
    const [, plain, index, quoted, single] = found;
    path.push(plain ?? index ?? single ?? (JSON.parse(quoted ?? '""') as string));
    at = PART.lastIndex;
  }
  if (path.length === 0 || path.includes('__proto__')) throw unreadable(text);
  return path;
}

export const showKeyPath = (path: readonly string[]): string =>
  path.map((key, i) => (/^[^.[\]"'\s]+$/.test(key) ? `${i ? '.' : ''}${key}` : `[${JSON.stringify(key)}]`)).join('');

const unreadable = (text: string): HardshellError =>
  misused(
    'KEY_PATH_UNUSABLE',
    `"${text.slice(0, 80)}" does not name a setting`,
    'write it like gateway.port, or channels.telegram.groups["-100123"].requireMention',
  );
