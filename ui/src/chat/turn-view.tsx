// Owns how one turn is shown. A turn that is the same object as before is not drawn again.
import { useMemo } from 'preact/hooks';
import { useApp } from '../app/context.ts';
import { discard, resend, sendMessage } from '../app/sending.ts';
import { Markdown } from '../markdown/render.tsx';
import { CopyButton } from '../shell/copy.tsx';
import { Icon } from '../shell/icons.tsx';
import { clock, fullTime, tokenCount } from '../shell/words.ts';
import { ToolCard } from './tool-card.tsx';
import type { AssistantTurn, NoticeTurn, Turn, UserTurn } from './turns.ts';
import { UndoButton } from './undo-button.tsx';

export function TurnView({ turn, sessionKey }: { turn: Turn; sessionKey: string }) {
  return useMemo(() => {
    if (turn.kind === 'user') return <Asked turn={turn} />;
    return turn.kind === 'assistant' ? <Answer turn={turn} /> : <Note turn={turn} sessionKey={sessionKey} />;
  }, [turn, sessionKey]);
}

const DELIVERY = {
  waiting: 'Waiting to be sent',
  sending: 'Sending',
  accepted: 'Accepted, waiting for its turn',
  failed: 'Not sent',
} as const;

function Asked({ turn }: { turn: UserTurn }) {
  const app = useApp();
  const { outgoing } = turn;
  return (
    <article class={`turn asked ${outgoing ? `is-${outgoing.state}` : ''}`} aria-label="You">
      <div class="bubble">{turn.text}</div>
      <div class="turn-foot">
        {outgoing ? (
          <span class="delivery">{outgoing.error ? errorWords(outgoing.error) : DELIVERY[outgoing.state]}</span>
        ) : (
          <Moment atMs={turn.atMs} />
        )}
        {outgoing?.state === 'failed' && (
          <>
            <button type="button" class="quiet" onClick={() => resend(app, outgoing.id)}>
              Try again
            </button>
            <button type="button" class="quiet" onClick={() => discard(app, outgoing.id)}>
              Discard
            </button>
          </>
        )}
        <span class="turn-tools">
          <CopyButton text={() => turn.text} label="Copy message" />
        </span>
      </div>
    </article>
  );
}

function errorWords({ message, fix }: { message: string; fix: string }): string {
  return `${sentence(message)}${fix === '' ? '' : ` (${fix})`}`;
}

/** Reasons come in lower case, to be put into lines; here they begin one. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Answer({ turn }: { turn: AssistantTurn }) {
  const words = (): string => turn.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n');
  const idle =
    turn.running &&
    !turn.parts.some((part) =>
      part.type === 'text' ? part.streaming : part.state === 'running' || part.state === 'queued',
    );
  return (
    <article class="turn answer" aria-label="Assistant" aria-busy={turn.running}>
      {turn.parts.map((part, at) =>
        part.type === 'tool' ? <ToolCard key={part.id} tool={part} /> : <Markdown key={`text${at}`} text={part.text} />,
      )}
      {idle && <Working />}
      {!turn.running && turn.parts.length > 0 && (
        <div class="turn-foot">
          {ENDINGS[turn.stopReason] && <span class="ending">{ENDINGS[turn.stopReason]}</span>}
          <span class="turn-tools">
            <CopyButton text={words} label="Copy reply" />
            {turn.parts.some((part) => part.type === 'tool' && CHANGING.has(part.name)) && (
              <UndoButton
                turnId={turn.runId}
                isSure={turn.parts.some((part) => part.type === 'tool' && WRITING.has(part.name))}
              />
            )}
          </span>
          <Moment atMs={turn.atMs} />
          {turn.model && <span class="turn-model">{turn.model}</span>}
          {turn.tokens && (
            <span title={`${turn.tokens.cacheRead.toLocaleString()} of the tokens read came from the cache`}>
              {tokenCount(turn.tokens.input + turn.tokens.cacheRead + turn.tokens.cacheWrite)} in,{' '}
              {tokenCount(turn.tokens.output)} out
            </span>
          )}
        </div>
      )}
    </article>
  );
}

/** Tools that can change files; whether they did is asked when it matters. */
const WRITING = new Set(['write', 'edit', 'apply_patch']);
const CHANGING = new Set([...WRITING, 'exec', 'process']);

/** Ends that a person should know of. An ordinary one needs no words. */
const ENDINGS: Record<string, string> = {
  aborted: 'stopped by you',
  length: 'cut off at the length limit',
  max_tokens: 'cut off at the length limit',
  timeout: 'stopped at the time limit',
};

function Working() {
  return (
    <div class="working">
      <span class="working-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <span class="offscreen">Working</span>
    </div>
  );
}

function Note({ turn, sessionKey }: { turn: NoticeTurn; sessionKey: string }) {
  const app = useApp();
  // The fences are for chats that know no other way to set something off.
  const [what = '', ...fix] = turn.text.split('\n').filter((line) => line !== '```');
  const again = turn.paused ? 'go on' : turn.retryText;
  const tone = turn.calm ? ' is-calm' : turn.paused ? ' is-paused' : '';
  return (
    <article class={`turn note${tone}`} aria-label="Notice">
      <Icon name={turn.calm ? 'stop' : turn.paused ? 'shield' : 'alert'} size={17} />
      <div class="note-words">
        <p>{sentence(what)}</p>
        {fix.length > 0 && <pre>{fix.join('\n')}</pre>}
      </div>
      {again !== null && (
        <button type="button" class="plain" onClick={() => sendMessage(app, sessionKey, again)}>
          <Icon name="retry" size={15} />
          {turn.paused ? 'Go on' : 'Send again'}
        </button>
      )}
    </article>
  );
}

function Moment({ atMs }: { atMs: number }) {
  return atMs > 0 ? (
    <time dateTime={new Date(atMs).toISOString()} title={fullTime(atMs)}>
      {clock(atMs)}
    </time>
  ) : null;
}
