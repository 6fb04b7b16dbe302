// Owns what the page knows, as one immutable value, and small questions about it. Nothing here talks to the gateway.

import type { Outgoing } from '../chat/outbox.ts';
import { EMPTY, type Transcript } from '../chat/transcript.ts';
import type { Hello } from '../protocol/frames.ts';
import type { LinkState } from '../protocol/link.ts';
import { wordsOf } from '../protocol/messages.ts';
import { NO_PEOPLE, type People } from '../protocol/people.ts';
import type { ApprovalRow, ModelRow, SessionRow, StatusView } from '../protocol/rows.ts';

export type Notice = {
  readonly id: string;
  readonly text: string;
  readonly tone: 'plain' | 'error';
  readonly action: { readonly label: string; readonly run: () => void } | null;
};

export type SessionList = {
  readonly rows: readonly SessionRow[];
  readonly total: number;
  readonly search: string;
  /** the search that `rows` are the answer to */
  readonly found: string;
  readonly archived: boolean;
  readonly state: 'loading' | 'ready' | 'failed';
  /** how many rows are asked for */
  readonly limit: number;
  /** being deleted, with time left to undo */
  readonly leaving: ReadonlySet<string>;
};

/** What the middle shows: the conversation, or channels and people. */
export type View = 'chat' | 'people';

export type AppState = {
  readonly link: LinkState;
  readonly signedIn: boolean;
  /** a token was just given, and nobody knows yet whether it is right */
  readonly signingIn: boolean;
  readonly hello: Hello | null;
  /** the version this page was served by; another one means that the page is old */
  readonly firstVersion: string;
  readonly status: StatusView | null;
  readonly models: readonly ModelRow[];
  readonly list: SessionList;
  /** rows of sessions outside of the list, such as one that was just made */
  readonly extraRows: ReadonlyMap<string, SessionRow>;
  readonly view: View;
  readonly people: People;
  readonly current: string;
  readonly transcripts: ReadonlyMap<string, Transcript>;
  /** sessions whose history could not be fetched, with the reason */
  readonly historyErrors: ReadonlyMap<string, string>;
  readonly outbox: readonly Outgoing[];
  readonly approvals: readonly ApprovalRow[];
  /** messages about to leave, each with how to hide its line */
  readonly held: ReadonlyMap<number, () => void>;
  /** when a person last looked at a session */
  readonly seen: ReadonlyMap<string, number>;
  /** runs that are over: a row made just before may still name them as active */
  readonly ended: ReadonlySet<string>;
  readonly notices: readonly Notice[];
  /** text for screen readers, spoken once */
  readonly spoken: string;
  readonly drawerOpen: boolean;
  readonly helpOpen: boolean;
};

export const MAIN_KEY = 'agent:main:main';
export const LIST_PAGE = 60;

export function initialState(
  signedIn: boolean,
  view: View,
  current: string,
  outbox: readonly Outgoing[],
  seen: ReadonlyMap<string, number>,
): AppState {
  return {
    link: { kind: 'connecting' },
    signedIn,
    signingIn: false,
    hello: null,
    firstVersion: '',
    status: null,
    models: [],
    list: {
      rows: [],
      total: 0,
      search: '',
      found: '',
      archived: false,
      state: 'loading',
      limit: LIST_PAGE,
      leaving: new Set(),
    },
    extraRows: new Map(),
    view,
    people: NO_PEOPLE,
    current,
    transcripts: new Map(),
    historyErrors: new Map(),
    outbox,
    approvals: [],
    held: new Map(),
    seen,
    ended: new Set(),
    notices: [],
    spoken: '',
    drawerOpen: false,
    helpOpen: false,
  };
}

export function transcriptOf(state: AppState, key: string): Transcript {
  return state.transcripts.get(key) ?? EMPTY;
}

export function rowOf(state: AppState, key: string): SessionRow | null {
  return state.list.rows.find((row) => row.key === key) ?? state.extraRows.get(key) ?? null;
}

export function changeTranscript(state: AppState, key: string, change: (before: Transcript) => Transcript): AppState {
  const before = transcriptOf(state, key);
  const after = change(before);
  if (after === before) return state;
  return { ...state, transcripts: new Map(state.transcripts).set(key, after) };
}

const MAX_ENDED = 200;

export function withEnded(state: AppState, runId: string): AppState {
  const ended = new Set([...state.ended, runId].slice(-MAX_ENDED));
  const rows = state.list.rows.map((row) => withoutEnded(row, ended));
  const extraRows = new Map([...state.extraRows].map(([key, row]) => [key, withoutEnded(row, ended)]));
  return { ...state, ended, extraRows, list: { ...state.list, rows } };
}

export function withoutEnded(row: SessionRow, ended: ReadonlySet<string>): SessionRow {
  const activeRunIds = row.activeRunIds.filter((id) => !ended.has(id));
  return activeRunIds.length === row.activeRunIds.length ? row : { ...row, activeRunIds };
}

const NAME_CHARS = 60;

/** What a session is called: the person's name for it, else its first words. */
export function nameOf(state: AppState, key: string): string {
  const row = rowOf(state, key);
  const name = row?.label || row?.title;
  if (name) return name;
  const transcript = transcriptOf(state, key);
  const first = transcript.hasMore ? undefined : transcript.messages.find((m) => m.role === 'user');
  const words =
    (first ? wordsOf(first) : (state.outbox.find((o) => o.sessionKey === key)?.text ?? '')).trim().split('\n')[0] ?? '';
  if (words !== '') return words.slice(0, NAME_CHARS);
  return key === MAIN_KEY ? 'Main session' : 'New session';
}
