// Owns reading a page and asking the search service, as tools. It hands addresses on as they were judged and labels what
// comes back as somebody else's words; it never dials.
import { z } from 'zod';
import type { Page } from '../net/web/fetch-page.ts';
import { readPageUrl } from '../net/web/page-url.ts';
import { label } from '../store/label.ts';
import type { Tool, ToolResult } from './tool.ts';

const MAX_QUERY_CHARS = 200;
const MAX_COUNT = 10;
const FEW = 5;

/** In the one spelling that shows where it leads, so that what is judged, shown and fetched is the same. */
const address = z.string().transform((text, context) => {
  const read = readPageUrl(text);
  if ('text' in read) return read.text;
  context.addIssue({ code: 'custom', message: read.problem });
  return z.NEVER;
});

const page = z.strictObject({ url: address, maxChars: z.number().int().min(500).optional() });

export const webFetchTool: Tool<z.infer<typeof page>> = {
  name: 'web_fetch',
  description: 'Read a web page as text.',
  parameters: page,
  roles: { effect: 'fetch', args: { url: 'target', maxChars: 'amount' }, result: 'untrusted', readers: 'public' },
  effects: ({ url }) => [{ kind: 'fetch', url: new URL(url).href }],
  async run(_call, { url, maxChars }, { web, signal }) {
    const { fetchPage, maxChars: most } = await web();
    const found = await fetchPage(url, signal);
    return from(new URL(found.url).hostname, toldOf(found, Math.min(maxChars ?? most(), most())), isBad(found));
  },
};

const query = z.strictObject({
  query: z
    .string()
    .trim()
    .min(1)
    .max(MAX_QUERY_CHARS)
    .refine((text) => !/[\p{Cc}\p{Cf}]/u.test(text), {
      error: 'one line of plain words',
    }),
  count: z.number().int().min(1).max(MAX_COUNT).optional(),
});

export const webSearchTool: Tool<z.infer<typeof query>> = {
  name: 'web_search',
  description: 'Search the web.',
  parameters: query,
  roles: { effect: 'search', args: { query: 'payload', count: 'amount' }, result: 'untrusted', readers: 'public' },
  effects: ({ query: text }) => [{ kind: 'search', query: text }],
  async run(_call, { query: text, count = FEW }, { web, signal }) {
    const results = await (await web()).search(text, count, signal);
    const lines = results.map(({ title, url, text: about }, at) => `${at + 1}. ${title}\n   ${url}\n   ${about}`);
    return from('search', lines.join('\n') || 'Nothing was found.', false);
  },
};

const from = (where: string, text: string, isError: boolean): ToolResult => ({
  text,
  isError,
  label: label('untrusted', 'public', `web:${where}`),
});

const isBad = (found: Page): boolean => found.kind === 'page' && found.status >= 400;

function toldOf(found: Page, maxChars: number): string {
  if (found.kind === 'elsewhere')
    return `${found.url} redirects to another host: ${found.to}\nIt was not followed. To read that page, fetch it by its own address.`;
  const { url, status, title, text, isCut } = found;
  const shown = text.slice(0, maxChars).toWellFormed();
  const more =
    shown.length < text.length
      ? `\n[cut: ${text.length - shown.length} more characters]`
      : isCut
        ? '\n[cut: the page goes on, and more of it is not read]'
        : '';
  return [
    ...(status === 200 ? [] : [`The server answered ${status}.`]),
    ...(title === '' ? [] : [`Title: ${title}`]),
    `URL: ${url}`,
    '',
    `${shown || '(no text)'}${more}`,
  ].join('\n');
}
