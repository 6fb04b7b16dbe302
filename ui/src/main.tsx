// Owns the start of the page: the token leaves the address bar before anything else happens, then the app is made.
import { render } from 'preact';
import { createApp } from './app/app.ts';
import { AppContext } from './app/context.ts';
import { takeTokenFromUrl } from './protocol/token.ts';
import { Page } from './shell/page.tsx';
import { applyTheme, storedTheme } from './shell/theme.ts';
import './styles/index.css';

takeTokenFromUrl();
applyTheme(storedTheme());
const root = document.getElementById('app');
if (root) {
  render(
    <AppContext.Provider value={createApp(__VERSION__)}>
      <Page />
    </AppContext.Provider>,
    root,
  );
}
