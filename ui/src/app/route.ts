// Owns the address bar: which session is open is in the fragment, so that reload, back and a second tab find it.
import { MAIN_KEY } from './state.ts';

const KEY = /^agent:[a-z0-9][a-z0-9_-]{0,63}:[A-Za-z0-9+@_.~!=:-]{1,200}$/;

export function currentFromUrl(): string {
  const key = new URLSearchParams(location.hash.slice(1)).get('session');
  return key !== null && KEY.test(key) ? key : MAIN_KEY;
}

export function linkTo(key: string): string {
  return `#session=${encodeURIComponent(key).replaceAll('%3A', ':')}`;
}

export function showInUrl(key: string, replace: boolean): void {
  if (currentFromUrl() === key && location.hash !== '') return;
  if (replace) history.replaceState(null, '', linkTo(key));
  else history.pushState(null, '', linkTo(key));
}
