// Owns writing a message: a draft for each session that survives a reload, Enter sends, and while a turn runs the same
// button steers it. It must never lose what a person typed.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp, useAppState } from '../app/context.ts';
import { abort, sendMessage } from '../app/sending.ts';
import { nameOf, transcriptOf } from '../app/state.ts';
import { Icon } from '../shell/icons.tsx';
import { plainLine } from '../shell/visible.tsx';
import { isRunning } from './transcript.ts';

const MAX_CHARS = 100_000;
const draftKey = (sessionKey: string): string => `hardshell.draft.${sessionKey}`;

export function Composer() {
  const app = useApp();
  const key = useAppState((s) => s.current);
  const running = useAppState((s) => isRunning(transcriptOf(s, s.current)));
  const ready = useAppState((s) => s.link.kind === 'ready');
  const name = useAppState((s) => plainLine(nameOf(s, s.current)));
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    setText(sessionStorage.getItem(draftKey(key)) ?? '');
    // On a phone, focus would open the keyboard over the conversation that was just chosen.
    if (matchMedia('(pointer: fine)').matches) area.current?.focus();
  }, [key]);

  useLayoutEffect(() => {
    const box = area.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = `${box.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    if (text === '') sessionStorage.removeItem(draftKey(key));
    else sessionStorage.setItem(draftKey(key), text);
  }, [text]);

  const send = (): void => {
    const message = text.trim();
    if (message === '') return;
    sendMessage(app, key, message);
    setText('');
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method is composing, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  };
  const action = running ? 'Steer' : 'Send';
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="composer-box">
        <textarea
          ref={area}
          id="composer"
          rows={1}
          value={text}
          maxLength={MAX_CHARS}
          placeholder={running ? 'Add to this turn' : 'Write a message'}
          aria-label={`Message for ${name}`}
          enterkeyhint="send"
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <div class="composer-actions">
          {running && (
            <button
              type="button"
              class="plain stop"
              onClick={() => void abort(app, key)}
              aria-label="Stop"
              title="Stop (Esc)"
            >
              <Icon name="stop" size={16} />
              <span class="stop-word">Stop</span>
            </button>
          )}
          <button
            type="submit"
            class="primary"
            disabled={text.trim() === ''}
            title={running ? 'Steer the running turn (Enter)' : 'Send (Enter)'}
          >
            <Icon name="send" size={16} />
            {action}
          </button>
        </div>
      </div>
      <p class="composer-hint">
        {ready
          ? 'Enter sends, Shift+Enter makes a new line'
          : 'Not connected: messages are kept and sent when the gateway is back'}
      </p>
    </form>
  );
}
