// Owns the page of somebody without a token: one field, and the command that prints a link with the token in it.
import { useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import type { GatewayError } from '../protocol/frames.ts';
import { tokenFromPaste } from '../protocol/token.ts';
import { CopyButton } from './copy.tsx';
import { Mark } from './icons.tsx';

const COMMAND = 'openclaw dashboard';

export function SignIn() {
  const app = useApp();
  const link = useAppState((s) => s.link);
  const busy = useAppState((s) => s.signingIn);
  const [text, setText] = useState('');
  const [odd, setOdd] = useState(false);
  const away =
    busy && link.kind === 'waiting'
      ? { what: `Not signed in yet: ${link.reason}.`, fix: 'Trying again by itself.' }
      : null;
  const refused = link.kind === 'refused' ? refusal(link.error) : away;
  const problem = odd ? { what: 'That does not look like a token or a sign-in link.', fix: '' } : refused;
  return (
    <main class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const token = tokenFromPaste(text);
          setOdd(token === null);
          if (token !== null) app.signIn(token);
        }}
      >
        <Mark size={44} />
        <h1>Sign in to Hardshell</h1>
        <p>On the machine where the gateway runs, this command prints a link that signs you in:</p>
        <div class="command">
          <code>{COMMAND}</code>
          <CopyButton text={() => COMMAND} label="Copy command" />
        </div>
        <label class="field">
          <span>Or paste the link or the token here</span>
          <input
            type="password"
            value={text}
            autocomplete="off"
            spellcheck={false}
            aria-invalid={problem !== null}
            aria-describedby={problem ? 'sign-in-problem' : undefined}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        {problem && (
          <p class="problem" id="sign-in-problem" role="alert">
            {problem.what}
            {problem.fix !== '' && <span> {problem.fix}</span>}
          </p>
        )}
        <button type="submit" class="primary" disabled={text.trim() === '' || busy}>
          {busy ? 'Signing in' : 'Sign in'}
        </button>
        <p class="muted fine">The token stays in this tab and is only ever sent to {location.host}.</p>
      </form>
    </main>
  );
}

function refusal(error: GatewayError): { what: string; fix: string } {
  switch (error.detail || error.code) {
    case 'AUTH_TOKEN_MISMATCH':
      return {
        what: 'The gateway does not know this token.',
        fix: 'It may have been replaced: get a new link with the command above.',
      };
    case 'AUTH_TOKEN_MISSING':
    case 'AUTH_REQUIRED':
      return { what: 'The gateway asks for a token.', fix: '' };
    case 'AUTH_RATE_LIMITED':
      return {
        what: 'Too many wrong tokens were tried.',
        fix: `Wait ${Math.ceil((error.retryAfterMs ?? 60_000) / 1_000)} s, then try again.`,
      };
    case 'CONTROL_UI_ORIGIN_NOT_ALLOWED':
      return {
        what: `The gateway does not accept pages from ${location.origin}.`,
        fix: error.fix || 'Open the address that the command above prints.',
      };
    case 'PROTOCOL_MISMATCH':
      return { what: 'This page and the gateway speak different versions.', fix: 'Reload the page.' };
    default:
      return { what: error.message, fix: error.fix };
  }
}
