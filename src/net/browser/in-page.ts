// Owns what is run in a page: how large it is, its words, what an element is. It must assume that the page has changed
// whatever it calls, so nothing of what comes back is trusted.
import { type Facts, MAX_SNAPSHOT_CHARS } from './words.ts';

export const SIZE =
  '({elements:document.getElementsByTagName("*").length,chars:(document.documentElement?.textContent??"").length})';
export const TEXT = `(document.body?.innerText??"").slice(0,${MAX_SNAPSHOT_CHARS})`;

/** Runs in the page: one expression each, since names that a bundler gives to functions are not there. */
// biome-ignore lint/suspicious/noExplicitAny: the page's types are not ours
export function look(el: any, page: string): Omit<Facts, 'page' | 'opened'> {
  const anchor = el.closest('a[href],area[href]');
  const href = anchor === null || anchor.hasAttribute('download') ? '' : String(anchor.href?.baseVal ?? anchor.href);
  const tag = String(el.tagName).toLowerCase();
  const type = String(el.getAttribute('type') ?? '').toLowerCase();
  const hint = String(el.getAttribute('autocomplete') ?? '').toLowerCase();
  const isText =
    tag === 'textarea' ||
    el.isContentEditable === true ||
    (tag === 'input' && !/^(button|submit|reset|image|checkbox|radio|file|color|range|hidden)$/.test(type));
  const isSecret = type === 'password' || /password|one-time-code|^cc-|\bcc-/.test(hint);
  const form = el.form ?? el.closest('form');
  const given = el.getAttribute('formaction') ?? form?.getAttribute?.('action') ?? '';
  const goal = given === '' || !URL.canParse(given, el.baseURI) ? page : new URL(given, el.baseURI).href;
  const words = isText
    ? (el.getAttribute('aria-label') ??
      el.labels?.[0]?.innerText ??
      el.getAttribute('placeholder') ??
      el.getAttribute('name'))
    : el.getAttribute('aria-label') ||
      el.innerText ||
      el.getAttribute('value') ||
      el.getAttribute('title') ||
      el.getAttribute('alt') ||
      el.labels?.[0]?.innerText ||
      el.getAttribute('name');
  const leads = /^https?:/.test(href) && href.split('#')[0] !== page;
  return {
    kind: leads
      ? 'link'
      : tag === 'select'
        ? 'choice'
        : isText
          ? isSecret
            ? 'secret'
            : 'field'
          : tag === 'input' && type === 'file'
            ? 'file'
            : 'press',
    element: String(words ?? tag).slice(0, 400),
    url: leads ? href : '',
    to: new URL(goal).host === new URL(page).host ? '' : goal,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the page's types are not ours
export function fieldBehind(el: any): unknown {
  return el.matches('input[type=file]')
    ? el
    : (el.querySelector('input[type=file]') ?? el.closest('label,form')?.querySelector('input[type=file]') ?? null);
}
