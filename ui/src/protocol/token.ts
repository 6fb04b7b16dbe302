// Owns where the token lives in the browser: taken from the URL fragment once, kept in this tab's sessionStorage only. It
// must never reach a query, a log, localStorage or another origin; and no address can be given for it to be sent to.

const STORAGE_KEY = 'hardshell.token';

/** Moves `#token=…` out of the address bar into storage. The rest of the fragment stays. */
export function takeTokenFromUrl(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (token === null) return null;
  fragment.delete('token');
  const rest = fragment.toString();
  history.replaceState(history.state, '', `${location.pathname}${rest === '' ? '' : `#${rest}`}`);
  if (!isTokenLike(token.trim())) return null;
  keepToken(token.trim());
  return token.trim();
}

export function storedToken(): string | null {
  return sessionStorage.getItem(STORAGE_KEY);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}

/** People paste the whole link as often as the token itself. */
export function tokenFromPaste(pasted: string): string | null {
  const text = pasted.trim();
  const token = /[#&]token=([^&\s]+)/.exec(text)?.[1];
  const found = token === undefined ? text : safelyDecoded(token);
  return isTokenLike(found) ? found : null;
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function isTokenLike(text: string): boolean {
  return text.length >= 8 && text.length <= 4_096 && !/\s/.test(text);
}
