// Owns the list of conversations and what the owner may do to one: rename, choose a model, archive, start clean, delete.
import { randomUUID } from 'node:crypto';
import type { Journal } from '../journal/journal.ts';
import { HardshellError } from '../platform/errors.ts';
import { join, label } from '../store/label.ts';
import type { Store } from '../store/open.ts';
import type { SessionRecord, Sessions } from '../store/sessions.ts';
import type { StoredMessage, Transcripts } from '../store/transcripts.ts';
import { CLEAN } from './conversation.ts';

export type SessionPatch = { label?: string | null; model?: string | null; archived?: boolean; pinned?: boolean };
export type SessionChange = 'created' | 'updated' | 'patched' | 'reset' | 'deleted';

export type DirectoryPorts = {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly transcripts: Transcripts;
  readonly journal: Journal;
  readonly now: () => number;
  /** a turn runs or waits there: its transcript must not be pulled away */
  readonly isBusy: (key: string) => boolean;
  readonly knowsModel: (model: string) => boolean;
  readonly changed: (key: string, change: SessionChange) => void;
  /** what of a message is its writer's own, without what was quoted or pasted */
  readonly ownWords: (text: string) => string;
};

export type Directory = ReturnType<typeof createDirectory>;

const MAX_LABEL_CHARS = 200;

export function createDirectory(ports: DirectoryPorts) {
  const { store, sessions, transcripts, journal, now } = ports;

  const existing = (key: string): SessionRecord => {
    const record = sessions.get(key);
    if (!record) throw notFound(key);
    return record;
  };
  const refuseBusy = (key: string): void => {
    if (ports.isBusy(key)) {
      const message = `a turn is running in ${key}`;
      const fix = 'stop it first (chat.abort, Esc in the page, Ctrl-C in the terminal)';
      throw new HardshellError({ code: 'SESSION_BUSY', message, fix, httpStatus: 409 });
    }
  };

  return {
    get: (key: string): SessionRecord | null => sessions.get(key),
    count: (): number => sessions.count(),

    /** The record of a session, made on its first message. */
    recordFor(key: string, agent: string, channel: string, title: string): SessionRecord {
      const found = sessions.get(key);
      if (found) return found;
      const atMs = now();
      const record = store.commit(() => {
        const fresh = blank(key, agent, channel, transcripts.create(randomUUID(), key, atMs), atMs);
        sessions.put({ ...fresh, title });
        return { ...fresh, title };
      });
      ports.changed(key, 'created');
      return record;
    },

    /** Pinned first, then newest first. */
    list(query: { limit: number; offset: number; search?: string; archived?: boolean }): {
      rows: SessionRecord[];
      total: number;
    } {
      const needle = query.search?.trim().toLowerCase() ?? '';
      const matching = sessions
        .all()
        .filter((s) => s.archived === (query.archived ?? false))
        .filter(
          (s) =>
            needle === '' ||
            [s.key, s.title, s.label ?? '', s.preview].some((text) => text.toLowerCase().includes(needle)),
        )
        .sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.updatedAtMs - a.updatedAtMs);
      return { rows: matching.slice(query.offset, query.offset + query.limit), total: matching.length };
    },

    patch(key: string, patch: SessionPatch, actor: object): SessionRecord {
      const record = existing(key);
      if (patch.label && patch.label.length > MAX_LABEL_CHARS) {
        const message = `a label has at most ${MAX_LABEL_CHARS} characters`;
        throw new HardshellError({ code: 'LABEL_TOO_LONG', message, fix: 'shorten it' });
      }
      if (patch.model && !ports.knowsModel(patch.model)) {
        throw new HardshellError({
          code: 'UNKNOWN_MODEL',
          message: `there is no model "${patch.model.slice(0, 80)}"`,
          fix: 'openclaw models list',
        });
      }
      const next: SessionRecord = {
        ...record,
        ...(patch.label === undefined ? {} : { label: patch.label === '' ? null : patch.label }),
        ...(patch.model === undefined ? {} : { modelOverride: patch.model === '' ? null : patch.model }),
        ...(patch.archived === undefined ? {} : { archived: patch.archived }),
        ...(patch.pinned === undefined ? {} : { pinned: patch.pinned }),
      };
      store.commit(() => {
        sessions.put(next);
        journal.record('session.patched', { session: key, fields: Object.keys(patch), actor });
      });
      ports.changed(key, 'patched');
      return next;
    },

    /**
     * A clean conversation under the same key; the old transcript is kept under its old id. `own-words`: it begins with what
     * the owner wrote in the old one, and with nothing that came from anywhere else.
     */
    reset(key: string, actor: object, keep: 'own-words' | 'nothing' = 'nothing'): SessionRecord {
      const record = existing(key);
      refuseBusy(key);
      const atMs = now();
      const seeds =
        keep === 'nothing' ? [] : seedsIn(transcripts.page(record.transcript, MAX_SEEDS), ports.ownWords, atMs);
      const next = store.commit(() => {
        const transcript = transcripts.create(randomUUID(), key, atMs);
        for (const seed of seeds) transcripts.append(transcript, seed);
        const fresh = {
          ...blank(key, record.agent, record.channel, transcript, atMs),
          messageCount: seeds.length,
          context: seeds.reduce((sum, seed) => join(sum, seed.label), CLEAN),
        };
        const kept = {
          label: record.label,
          modelOverride: record.modelOverride,
          pinned: record.pinned,
          createdAtMs: record.createdAtMs,
        };
        sessions.put({ ...fresh, ...kept });
        journal.record('session.reset', { session: key, kept: Math.max(0, seeds.length - 1), actor });
        return { ...fresh, ...kept };
      });
      ports.changed(key, 'reset');
      return next;
    },

    delete(key: string, actor: object): boolean {
      if (!sessions.get(key)) return false;
      refuseBusy(key);
      store.commit(() => {
        transcripts.deleteAll(key);
        sessions.remove(key);
        journal.record('session.deleted', { session: key, actor });
      });
      ports.changed(key, 'deleted');
      return true;
    },
  };
}

const MAX_SEEDS = 2_000;
const STARTED_ANEW =
  '[Begun anew without text from outside: my answers and all that I had read are gone. What you wrote stands above; it was dealt with then. Say how to go on.]';

/** The owner's messages in their order, and that they were answered, lest the model does it all again. */
function seedsIn(all: readonly StoredMessage[], ownWords: (text: string) => string, atMs: number): StoredMessage[] {
  const own = all.flatMap((message): StoredMessage[] => {
    if (message.role !== 'user' || message.label.integrity !== 'owner') return [];
    const text = message.blocks
      .flatMap((one) => (one.type === 'text' ? [ownWords(one.text)] : []))
      .join('\n')
      .trim();
    return text === '' ? [] : [{ ...message, blocks: [{ type: 'text', text }] }];
  });
  if (own.length === 0) return [];
  const note = {
    role: 'assistant',
    blocks: [{ type: 'text', text: STARTED_ANEW }],
    runId: '',
    atMs,
    meta: {},
  } as const;
  return [...own, { ...note, seq: 0, label: label('tool-local', 'owner') }].map((one, n) => ({ ...one, seq: n + 1 }));
}

function blank(key: string, agent: string, channel: string, transcript: number, atMs: number): SessionRecord {
  return {
    key,
    transcript,
    agent,
    channel,
    label: null,
    title: '',
    preview: '',
    createdAtMs: atMs,
    updatedAtMs: atMs,
    messageCount: 0,
    modelOverride: null,
    model: '',
    contextTokens: 0,
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    microusd: 0,
    archived: false,
    pinned: false,
    context: CLEAN,
  };
}

function notFound(key: string): HardshellError {
  const message = `there is no session ${key.slice(0, 120)}`;
  return new HardshellError({ code: 'UNKNOWN_SESSION', message, fix: 'openclaw sessions list', httpStatus: 404 });
}
