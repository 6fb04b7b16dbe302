// Owns how text crosses to Slack and back: what a person wrote is shown as they saw it, with real addresses; what the model
// wrote gets Slack's simple markup and can mention nobody, since every < is escaped before any markup is made.

export type Names = { readonly botUserId: string; readonly botName: string };

/** Slack's escapes and `<…>` marks become plain text: a ping is shown as data, a link with where it really leads. */
export function plainText(text: string, { botUserId, botName }: Names): string {
  return text.replace(/<([^<>]*)>|&(amp|lt|gt);/g, (_whole, mark: string | undefined, entity: string | undefined) => {
    if (entity !== undefined) return ENTITIES[entity] ?? '';
    const [target = '', ...labels] = (mark ?? '').split('|');
    const label = unescaped(labels.join('|'));
    const id = target.slice(1);
    if (target.startsWith('@')) return id === botUserId ? `@${botName}` : label === '' ? `@${id}` : `@${label} (${id})`;
    if (target.startsWith('#')) return label === '' ? `#${id}` : `#${label}`;
    if (target.startsWith('!')) return label === '' ? `@${id.split('^')[0]}` : label;
    const url = unescaped(target);
    return label === '' ||
      url === label ||
      url === `mailto:${label}` ||
      url === `http://${label}` ||
      url === `https://${label}`
      ? url.replace(/^mailto:/, '')
      : `${label} (${url})`;
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt);/g, (_whole, name: string) => ENTITIES[name] ?? '');

/** Only a mark that Slack made counts; the letters `@name` do not. */
export const mentions = (text: string, userId: string): boolean =>
  text.includes(`<@${userId}>`) || text.includes(`<@${userId}|`);

const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one);

const FENCE = /^ {0,3}(```+|~~~+)/;

/** Markdown as models write it, in Slack's markup: bold, italics, struck out, headings, bullets, links. Code stays as it is. */
export function slackText(markdown: string): string {
  let fence: string | null = null;
  const lines = markdown.split('\n').map((line) => {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== null) {
      const closes = mark?.startsWith(fence) && line.trim() === mark;
      if (!closes) return escaped(line);
      fence = null;
      return '```';
    }
    if (mark === undefined) return lineText(line);
    // Slack knows no language behind a fence and would show its name.
    fence = mark;
    return '```';
  });
  return lines.join('\n');
}

const CODE = /(```[\s\S]*?```|`[^`\n]+`)/;
const LINK =
  /<(https?:[^|>\s]+)(?:\|([^>]*))?>|(?:https?:\/\/|\b(?:[a-z0-9-]+\.)+[a-z]{2,24}\/)[^\s`<>]*[^\s`<>.,;:!?)]/gi;

/** For words beside a file, which Slack shows with previews whatever it is told: an address in code has none. */
export const withoutPreviews = (slack: string): string =>
  slack
    .split(CODE)
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part.replace(LINK, (whole: string, url: string | undefined, name: string | undefined) =>
            url === undefined || name === undefined || name === url ? `\`${url ?? whole}\`` : `${name} \`${url}\``,
          ),
    )
    .join('');

function lineText(line: string): string {
  const heading = /^ {0,3}#{1,6} +(\S.*)$/.exec(line)?.[1];
  if (heading !== undefined) return `*${spans(heading.replace(/\*\*|__/g, ''))}*`;
  const bullet = /^(\s*)[*+-] +(.*)$/.exec(line);
  return bullet ? `${bullet[1]}• ${spans(bullet[2] ?? '')}` : spans(line);
}

/** Code spans are cut out first: between them markup is made, within them nothing. */
const spans = (text: string): string =>
  text
    .split(/(`[^`]+`)/)
    .map((part, n) => (n % 2 === 1 ? escaped(part) : marked(escaped(part))))
    .join('');

const marked = (text: string): string =>
  text.replace(
    /\[([^[\]]{1,500})\]\(((?:https?:\/\/|mailto:)[^\s()|]{1,2000})\)|\*\*([^*]{1,4000})\*\*|__([^_]{1,4000})__|~~([^~]{1,4000})~~|(?<![\w*])\*([^*\s](?:[^*]{0,4000}[^*\s])?)\*(?![\w*])/g,
    (whole, label?: string, url?: string, bold?: string, strong?: string, struck?: string, italic?: string) => {
      if (label !== undefined && url !== undefined) return linkTo(label, url);
      if (bold !== undefined || strong !== undefined) return `*${bold ?? strong}*`;
      if (struck !== undefined) return `~${struck}~`;
      return italic === undefined ? whole : `_${italic}_`;
    },
  );

/** A label that looks like an address of its own could lead somewhere else than it says. */
const linkTo = (label: string, url: string): string =>
  /[|\n]/.test(label) || /\w[./:]\w/.test(label) ? `<${url}>` : `<${url}|${label}>`;
