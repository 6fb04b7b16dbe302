// Owns the address bar: which session is open, and whether channels and people are shown in its place, is in the fragment,
// so that reload, back and a second tab find it.

import { MAIN_KEY, type View } from './state.ts';

const KEY = /^agent:[a-z0-9][a-z0-9_-]{0,63}:[A-Za-z0-9+@_.~!=:-]{1,200}$/;

const fragment = (): URLSearchParams => new URLSearchParams(location.hash.slice(1));

export function currentFromUrl(): string {
  const key = fragment().get('session');
  return key !== null && KEY.test(key) ? key : MAIN_KEY;
}

export function viewFromUrl(): View {
  return fragment().get('view') === 'people' ? 'people' : 'chat';
}

export function linkTo(key: string, view: View = 'chat'): string {
  return `#session=${encodeURIComponent(key).replaceAll('%3A', ':')}${view === 'people' ? '&view=people' : ''}`;
}

export function showInUrl(key: string, replace: boolean, view: View = 'chat'): void {
  if (currentFromUrl() === key && viewFromUrl() === view && location.hash !== '') return;
  if (replace) history.replaceState(null, '', linkTo(key, view));
  else history.pushState(null, '', linkTo(key, view));
}
