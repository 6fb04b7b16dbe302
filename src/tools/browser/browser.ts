// Owns the browser as a tool: what is asked of it, what each act does to the world, and what a page shows as somebody else's
// words. What an element is, it is told by the browser before policy decides; it never takes a page's word for it.
import { z } from 'zod';
import type { Answers, Ask, Facts } from '../../net/browser/words.ts';
import { readPageUrl } from '../../net/web/page-url.ts';
import { HardshellError } from '../../platform/errors.ts';
import type { Effect } from '../../policy/effects.ts';
import type { ToolRoles } from '../../policy/flow/roles.ts';
import { label } from '../../store/label.ts';
import { filePath, shownBytes } from '../paths.ts';
import type { Tool, ToolEnv, ToolResult } from '../tool.ts';

const ACTIONS = [
  ...(['open', 'snapshot', 'click', 'fill', 'submit', 'screenshot', 'upload', 'download', 'tabs', 'close'] as const),
];
const MAX_FILL_CHARS = 10_000;
const MAX_UPLOAD_BYTES = 20_000_000;
const NEEDS: Readonly<Record<(typeof ACTIONS)[number], readonly ('url' | 'ref' | 'text' | 'file')[]>> = {
  ...{ open: ['url'], snapshot: [], click: ['ref'], fill: ['ref', 'text'], submit: ['ref'], screenshot: ['file'] },
  ...{ upload: ['ref', 'file'], download: ['file'], tabs: [], close: [] },
};

const parameters = z
  .strictObject({
    action: z.enum(ACTIONS),
    url: z.string().optional(),
    ref: z.string().optional().describe('of a snapshot, such as e12'),
    text: z.string().optional(),
    file: z.string().optional().describe('in the workspace'),
    from: z.int().optional().describe('character that a snapshot goes on at'),
    tab: z.int().optional(),
  })
  .superRefine(({ action, url, ref, text, from = 0, tab = 0, ...more }, context) => {
    const say = (path: string, message: string): unknown => context.addIssue({ code: 'custom', path: [path], message });
    const given = { url, ref, text, ...more };
    for (const name of NEEDS[action]) if (given[name] === undefined) say(name, `${action} needs it`);
    if (action === 'download' && (url === undefined) === (ref === undefined)) say('url', 'download needs url or ref');
    if (url !== undefined && action !== 'open' && action !== 'download') say('url', `${action} takes none`);
    const read = url === undefined ? null : readPageUrl(url);
    if (read !== null && 'problem' in read) say('url', read.problem);
    if (ref !== undefined && !/^(f\d{1,4})?e\d{1,7}$/.test(ref)) say('ref', 'as a snapshot shows it, such as e12');
    if ((text ?? '').length > MAX_FILL_CHARS) say('text', `at most ${MAX_FILL_CHARS} characters`);
    if (from < 0) say('from', 'from 0 on');
    if (tab < 0) say('tab', 'from 1 on');
  });
type Given = z.infer<typeof parameters>;

/** With what the browser says of the element: what is judged, shown to the owner, and compared again by the browser. */
type Args = Given & {
  readonly act?: string;
  readonly facts?: Facts;
  readonly page?: string;
  readonly element?: string;
  readonly to?: string;
};

const LOOKS: ToolRoles = { effect: 'read', args: {}, result: 'untrusted', readers: undefined };
const small = {
  action: 'amount',
  act: 'amount',
  ref: 'amount',
  from: 'amount',
  tab: 'amount',
  facts: 'amount',
} as const;
const at = { ...small, page: 'target', to: 'target' } as const;

/** By `act`, or `action` where the browser had nothing to add. */
export const BROWSER_ROLES: Readonly<Record<string, ToolRoles>> = {
  open: { effect: 'fetch', args: { ...small, url: 'target' }, result: 'untrusted' },
  follow: {
    effect: 'fetch',
    args: { ...small, url: 'target', page: 'amount', element: 'amount' },
    result: 'untrusted',
  },
  download: {
    effect: 'fetch',
    args: { ...small, url: 'target', file: 'amount', page: 'amount', element: 'amount' },
    result: 'own',
  },
  // Whatever a page does when it is pressed, nobody can know beforehand: only the owner's words open it.
  click: { effect: 'irreversible', args: { ...at, element: 'object' }, result: 'untrusted' },
  submit: { effect: 'irreversible', args: { ...at, element: 'object' }, result: 'untrusted' },
  upload: { effect: 'irreversible', args: { ...at, file: 'object', element: 'amount' }, result: 'own' },
  // A page reads what is typed into it while it is typed.
  fill: { effect: 'fetch', args: { ...at, text: 'payload', element: 'amount' }, result: 'own' },
  secret: { effect: 'credential', args: {}, result: 'own' },
  ...{ snapshot: LOOKS, screenshot: LOOKS, tabs: LOOKS, close: LOOKS },
};

export const browserTool: Tool<Args> = {
  name: 'browser',
  description: 'A real browser: open a page, act on elements by the ref of its snapshot.',
  parameters: parameters as unknown as z.ZodType<Args>,
  roles: LOOKS,
  rolesByAct: BROWSER_ROLES,
  async look(args, { lookAt }) {
    const { action, ref = '' } = args;
    if (!['click', 'fill', 'submit', 'upload', 'download'].includes(action) || ref === '' || !lookAt) return args;
    const facts = await lookAt(ref, action === 'upload');
    const { kind, opened: page, element, url, to } = facts;
    const seen = { ...args, facts, page, element, ...(to === '' ? {} : { to }) };
    if (action === 'click' && kind === 'link') return { ...seen, act: 'follow', url: plain(url) };
    if (action === 'download') {
      if (url === '') throw failed('NOT_A_LINK', `${ref} is no link to a file`, 'take one that has an address');
      return { ...seen, url: plain(url) };
    }
    if (action === 'fill' && kind === 'secret') return { ...seen, act: 'secret' };
    if (action === 'fill' && kind !== 'field' && kind !== 'choice')
      throw failed('NOT_A_FIELD', `${ref} takes no text`, 'take a field of the snapshot');
    return seen;
  },
  effects({ action, url = '', page = '', element = '', file = '' }): Effect[] {
    const act = (kind: 'click' | 'fill' | 'submit' | 'upload'): Effect => ({
      kind: 'browse',
      act: kind,
      url: page,
      what: element,
    });
    if (url !== '') {
      const open: Effect = { kind: 'browse', act: 'open', url: new URL(url).href, what: '' };
      return action === 'download' ? [open, { kind: 'write', path: filePath(file) }] : [open];
    }
    if (action === 'screenshot') return [{ kind: 'write', path: filePath(file) }];
    if (action === 'upload') return [act('upload'), { kind: 'read', path: filePath(file) }];
    return action === 'click' || action === 'fill' || action === 'submit' ? [act(action)] : [];
  },
  async run(call, { action, url = '', ref = '', text = '', file = '', from = 0, tab = 0, facts }, env) {
    const ask = <A extends Ask>(question: A): Promise<Answers[A['op']]> => env.browser(call, question);
    const known = (): Facts => facts ?? fault();
    switch (action) {
      case 'open':
        return page(await ask({ op: 'open', url: new URL(url).href }), 0);
      case 'snapshot':
        return page(await ask({ op: 'snapshot', from }), from);
      case 'click':
        return page(url === '' ? await ask({ op: 'click', ref, facts: known() }) : await ask({ op: 'open', url }), 0);
      case 'submit':
        return page(await ask({ op: 'submit', ref, facts: known() }), 0);
      case 'fill':
        await ask({ op: 'fill', ref, text, facts: known() });
        return done(`Filled ${ref}.`);
      case 'upload': {
        const { root, name } = await env.files.at(filePath(file), 'read');
        const bytes = await root.read(name, MAX_UPLOAD_BYTES);
        await ask({ op: 'upload', ref, name: name.split('/').at(-1) ?? 'file', bytes, facts: known() });
        return done(`${file} was handed to the page.`);
      }
      case 'download': {
        const { bytes } = await ask({ op: 'download', url: new URL(url).href });
        return done(await keep(file, bytes, env));
      }
      case 'screenshot':
        return done(await keep(file, (await ask({ op: 'screenshot' })).bytes, env));
      case 'tabs': {
        const tabs = await ask({ op: 'tabs', tab });
        const lines = tabs.map(
          ({ url: where, title, isCurrent }, n) =>
            `${n + 1}.${isCurrent ? ' (this)' : ''} ${where} ${title.slice(0, 100)}`,
        );
        return outside('browser:tabs', lines.join('\n') || 'No tab is open.');
      }
      case 'close':
        await ask({ op: 'close' });
        return done('The tab is closed.');
    }
  },
};

const done = (text: string): ToolResult => ({ text, isError: false, label: label('tool-local', 'owner') });

/** What somebody else wrote; and for the owner's eyes, since a browser may be logged in. */
const outside = (source: string, text: string): ToolResult => ({
  text,
  isError: false,
  label: label('untrusted', 'owner', source),
});

function page({ url, title, text, chars, notes }: Answers['open'], from: number): ToolResult {
  const rest = chars - from - text.length;
  const more = rest > 0 ? `\n[cut: ${rest} more characters; snapshot with from: ${from + text.length}]` : '';
  const lines = [`URL: ${url}`, ...(title === '' ? [] : [`Title: ${title}`]), ...notes.map((one) => `Note: ${one}`)];
  return outside(`browser:${hostOf(url)}`, `${lines.join('\n')}\n\n${text.toWellFormed() || '(nothing)'}${more}`);
}
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '') || 'page';

/** In a new file; nobody recorded it, so that it counts as somebody else's. */
async function keep(file: string, bytes: Uint8Array, { files }: ToolEnv): Promise<string> {
  const { root, name } = await files.at(filePath(file), 'write');
  await root.create(name, Buffer.from(bytes));
  return `Wrote ${file} (${shownBytes(bytes.length)}).`;
}

/** A link in the one spelling that shows where it leads. */
function plain(url: string): string {
  const read = readPageUrl(url);
  if ('text' in read) return read.url.href;
  throw failed('URL_ODD', `the link leads to an address that is never opened: ${read.problem}`, '');
}
const failed = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix });
function fault(): never {
  throw new Error('the browser tool ran without having looked');
}
