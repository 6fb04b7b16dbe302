// Owns what each event of the gateway changes. It only records; nothing here asks for anything but missing history.
import {
  isComplete,
  withMessage,
  withRunEnded,
  withRunStarted,
  withText,
  withToolEnd,
  withToolStart,
} from '../chat/transcript.ts';
import { type EventFrame, type Json, numberOf, objectOf, textOf } from '../protocol/frames.ts';
import { readMessage, wordsOf } from '../protocol/messages.ts';
import { readApproval } from '../protocol/rows.ts';
import { dropApproval } from './approvals.ts';
import type { App } from './context.ts';
import { fetchLatest } from './history.ts';
import { withSeen } from './seen.ts';
import { failUndelivered, settleDelivered } from './sending.ts';
import { applyChange } from './sessions.ts';
import { changeTranscript, transcriptOf, withEnded } from './state.ts';
import { fetchStatus } from './status.ts';
import { showHeld } from './undo.ts';

const SPOKEN_CHARS = 600;

export function applyEvent(app: App, event: EventFrame): void {
  const { payload } = event;
  switch (event.event) {
    case 'chat':
      applyChat(app, payload);
      break;
    case 'agent':
      applyAgent(app, payload);
      break;
    case 'session.message':
      applyMessage(app, textOf(payload['sessionKey']), payload['message']);
      break;
    case 'sessions.changed':
      applyChange(app, payload);
      if (payload['reason'] === 'reset') void fetchLatest(app, textOf(payload['sessionKey']));
      markSeen(app, textOf(payload['sessionKey']));
      break;
    case 'exec.approval.requested': {
      const approval = readApproval(payload['approval'] ?? payload);
      if (approval)
        app.store.set((s) => ({ ...s, approvals: [...s.approvals.filter((a) => a.id !== approval.id), approval] }));
      break;
    }
    case 'tick': {
      // What wants mending may have been mended in a terminal, and a window may have been opened in a chat.
      void fetchStatus(app).catch(() => undefined);
      break;
    }
    case 'outbox.changed':
      showHeld(app, payload);
      break;
    case 'exec.approval.resolved':
      dropApproval(app, textOf(payload['id']));
      break;
  }
}

function applyMessage(app: App, key: string, value: unknown): void {
  const message = readMessage(value);
  if (!message || key === '') return;
  app.store.set((s) => changeTranscript(s, key, (t) => (t.loaded ? withMessage(t, message) : t)));
  if (message.role === 'user') settleDelivered(app, key);
}

function applyChat(app: App, payload: Json): void {
  const runId = textOf(payload['runId']);
  const key = textOf(payload['sessionKey']);
  if (runId === '' || key === '') return;
  switch (payload['state']) {
    case 'delta': {
      const text = textOf(payload['deltaText']) || textOf(payload['delta']);
      const replace = payload['replace'] === true;
      app.store.set((s) => changeTranscript(s, key, (t) => withText(t, runId, text, replace, Date.now())));
      break;
    }
    case 'final':
    case 'aborted':
    case 'error':
      endRun(app, key, runId, payload);
      break;
  }
}

function endRun(app: App, key: string, runId: string, payload: Json): void {
  const message = readMessage(payload['message']);
  app.store.set((s) =>
    changeTranscript(withEnded(s, runId), key, (t) =>
      withRunEnded(message && t.loaded ? withMessage(t, message) : t, runId),
    ),
  );
  const transcript = transcriptOf(app.store.get(), key);
  if (transcript.loaded && !isComplete(transcript, runId))
    void fetchLatest(app, key).then(() => noteLost(app, runId, payload));
  if (key !== app.store.get().current) return;
  const words = message ? wordsOf(message) : textOf(payload['errorMessage']);
  if (words !== '')
    app.store.set((s) => ({
      ...s,
      spoken: `${payload['state'] === 'error' ? 'Failed: ' : 'Reply: '}${words.slice(0, SPOKEN_CHARS)}`,
    }));
}

function noteLost(app: App, runId: string, payload: Json): void {
  if (payload['state'] === 'final') return;
  const aborted = payload['state'] === 'aborted';
  failUndelivered(
    app,
    runId,
    aborted ? 'Stopped before it was read.' : textOf(payload['errorMessage']) || 'The turn failed before it began.',
  );
}

function applyAgent(app: App, payload: Json): void {
  const runId = textOf(payload['runId']);
  const key = textOf(payload['sessionKey']);
  const data = objectOf(payload['data']);
  if (runId === '' || key === '') return;
  const nowMs = numberOf(payload['ts']) ?? Date.now();
  const phase = textOf(data['phase']);
  if (payload['stream'] === 'lifecycle' && (phase === 'start' || phase === 'model')) {
    const model = textOf(data['model']);
    app.store.set((s) => changeTranscript(s, key, (t) => withRunStarted(t, runId, nowMs, model)));
  }
  if (payload['stream'] !== 'tool') return;
  const id = textOf(data['toolCallId']) || textOf(data['callId']) || textOf(data['id']);
  if (phase === 'start') {
    const tool = { id, name: textOf(data['name']), args: data['args'] ?? data['arguments'] };
    app.store.set((s) => changeTranscript(s, key, (t) => withToolStart(t, runId, tool, nowMs)));
  } else if (phase === 'result' || phase === 'end') {
    const output =
      typeof data['result'] === 'string'
        ? data['result']
        : textOf(data['text']) || textOf(objectOf(data['result'])['text']);
    app.store.set((s) =>
      changeTranscript(s, key, (t) => withToolEnd(t, id, { output, isError: data['isError'] === true }, nowMs)),
    );
  }
}

/** What happens before a person's eyes is not unread afterwards. */
function markSeen(app: App, key: string): void {
  if (key !== app.store.get().current || document.visibilityState !== 'visible') return;
  app.store.set((s) => ({ ...s, seen: withSeen(s.seen, key, Date.now()) }));
}
