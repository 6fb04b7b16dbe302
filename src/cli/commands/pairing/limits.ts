// Owns how the limits of a guest pass are written: as options of a command, and as a person reads them.
import type { GuestLimits } from '../../../access/gate.ts';
import { unusable } from '../../../platform/errors.ts';

export function limitsText({ tools, folder, messagesPerDay, tokensPerDay }: GuestLimits): string {
  return [
    tools.length === 0 ? 'only talk' : tools.join(', '),
    folder === null ? '' : `in ${folder === '.' ? 'all of the workspace' : folder}`,
    messagesPerDay === null ? '' : `${messagesPerDay} ${messagesPerDay === 1 ? 'message' : 'messages'} a day`,
    tokensPerDay === null ? '' : `${tokensPerDay} tokens a day`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

/** `20/day` is messages, `50000tokens/day` tokens. Money is refused, since it cannot be counted yet. */
export function readBudget(text: string | undefined): Pick<GuestLimits, 'messagesPerDay' | 'tokensPerDay'> {
  if (text === undefined) return { messagesPerDay: null, tokensPerDay: null };
  const [, count = '', thousand = '', unit = ''] =
    /^(\d{1,7})(k?)\s?(|messages?|tokens?)(?:\/day)?$/i.exec(text.trim()) ?? [];
  const value = Number(count) * (thousand ? 1_000 : 1);
  if (value < 1) {
    const isMoney = /[$€£]|usd|eur/i.test(text);
    throw unusable(
      isMoney
        ? `--budget ${text} is money, and this version counts messages and tokens`
        : `--budget ${text} is not understood`,
      'write it like --budget 20/day (messages) or --budget 50000tokens/day',
    );
  }
  return /^token/i.test(unit)
    ? { messagesPerDay: null, tokensPerDay: value }
    : { messagesPerDay: value, tokensPerDay: null };
}

/** A folder below the workspace, in one spelling. */
export function readFolder(text: string | undefined): string | null {
  if (text === undefined) return null;
  const parts = text
    .normalize('NFC')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (text.startsWith('/') || text.startsWith('~') || parts.includes('..')) {
    throw unusable(
      `--folder ${text} is not a folder of the workspace`,
      'name it from the workspace on, such as --folder recipes',
    );
  }
  return parts.join('/') || '.';
}

const ALIASES: Readonly<Record<string, string>> = { web: 'group:web', files: 'group:fs', fs: 'group:fs' };

export function readTools(text: string | undefined): string[] {
  const tools = (text ?? '').split(/[,\s]+/).filter((tool) => tool !== '' && tool !== 'none');
  const odd = tools.find((tool) => !/^[a-z][a-z0-9_:-]{0,40}$/.test(tool));
  if (odd !== undefined) throw unusable(`--tools: "${odd}" is not the name of a tool`, 'write it like --tools read,ls');
  return tools.map((tool) => ALIASES[tool] ?? tool);
}
