// Owns the tables. A migration is appended, never edited; every table of blocks carries the three label columns.

/** One entry a version; `PRAGMA user_version` counts them. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    key TEXT PRIMARY KEY, transcript INTEGER NOT NULL, agent TEXT NOT NULL, channel TEXT NOT NULL,
    label TEXT, title TEXT NOT NULL, preview TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    message_count INTEGER NOT NULL, model_override TEXT, model TEXT NOT NULL, context_tokens INTEGER NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
    archived INTEGER NOT NULL, pinned INTEGER NOT NULL,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE transcripts (
    id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, session_key TEXT NOT NULL, created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE messages (
    transcript INTEGER NOT NULL, seq INTEGER NOT NULL, role TEXT NOT NULL, blocks TEXT NOT NULL, run_id TEXT NOT NULL,
    at INTEGER NOT NULL, meta TEXT,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL,
    PRIMARY KEY (transcript, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, account TEXT NOT NULL, message_id TEXT NOT NULL, chat TEXT NOT NULL,
    chat_type TEXT NOT NULL, sender TEXT NOT NULL, session_key TEXT NOT NULL, run_id TEXT NOT NULL,
    queue_mode TEXT NOT NULL, timeout_ms INTEGER NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'answered', 'declined', 'failed')), reason TEXT NOT NULL,
    attempts INTEGER NOT NULL, received_at INTEGER NOT NULL, finished_at INTEGER,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX inbox_once ON inbox (channel, account, message_id, chat);
  CREATE INDEX inbox_queued ON inbox (id) WHERE state = 'queued';

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, inbox_id INTEGER NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL, chat TEXT NOT NULL,
    reply_to TEXT NOT NULL, body TEXT NOT NULL, idempotency_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'unknown', 'failed')), reason TEXT NOT NULL,
    attempts INTEGER NOT NULL, at INTEGER NOT NULL,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL
  ) STRICT;
  CREATE INDEX outbox_open ON outbox (id) WHERE state IN ('queued', 'sending');

  CREATE TABLE tool_calls (
    run_id TEXT NOT NULL, call_id TEXT NOT NULL, name TEXT NOT NULL, args TEXT NOT NULL, effects TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('started', 'done', 'unknown')), started_at INTEGER NOT NULL, ended_at INTEGER,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL,
    PRIMARY KEY (run_id, call_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tool_calls_open ON tool_calls (run_id) WHERE state = 'started';

  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;

  CREATE TABLE usage (
    day TEXT NOT NULL, model TEXT NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
    PRIMARY KEY (day, model)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // What platforms add to a message (thread, quote, attachments, sender's roles), and what a reply needs to find its place.
  `
  ALTER TABLE inbox ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE outbox ADD COLUMN thread TEXT NOT NULL DEFAULT '';
  ALTER TABLE outbox ADD COLUMN files TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE outbox ADD COLUMN platform_id TEXT NOT NULL DEFAULT '';
  `,
  // Who was approved, who asks, who was invited, who has written, and what each used up. Codes are kept as hashes only.
  `
  CREATE TABLE pairing_requests (
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('person', 'group')),
    subject TEXT NOT NULL, chat TEXT NOT NULL, title TEXT NOT NULL, code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'displaced')),
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, returned INTEGER NOT NULL,
    held BLOB
  ) STRICT;
  CREATE UNIQUE INDEX pairing_pending ON pairing_requests (channel, account, kind, subject) WHERE state = 'pending';
  CREATE INDEX pairing_code ON pairing_requests (code);

  CREATE TABLE access_grants (
    channel TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('person', 'group')), subject TEXT NOT NULL,
    role TEXT NOT NULL, title TEXT NOT NULL, members INTEGER NOT NULL, was TEXT, limits TEXT, until_at INTEGER,
    granted_at INTEGER NOT NULL, PRIMARY KEY (channel, account, kind, subject)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE invites (
    code TEXT PRIMARY KEY, title TEXT NOT NULL, limits TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, until_at INTEGER NOT NULL, used_at INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE people (
    channel TEXT NOT NULL, account TEXT NOT NULL, person TEXT NOT NULL, chat TEXT NOT NULL, title TEXT NOT NULL,
    standing TEXT NOT NULL, last_seen_at INTEGER NOT NULL, PRIMARY KEY (channel, account, person)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE spending (
    day TEXT NOT NULL, person TEXT NOT NULL, messages INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (day, person)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE declined_counts (
    day TEXT NOT NULL, channel TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (day, channel, reason)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inbox_sender ON inbox (channel, sender, id);
  `,
  // Until when a message can still be taken back.
  `
  ALTER TABLE outbox ADD COLUMN leaves_at INTEGER NOT NULL DEFAULT 0;
  `,
  // Questions to the owner, and what was allowed for good.
  `
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY, code TEXT NOT NULL, run_id TEXT NOT NULL, call_id TEXT NOT NULL, session_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'allowed', 'denied', 'expired', 'used')), body TEXT NOT NULL,
    binding TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, answer TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX approvals_call ON approvals (run_id, call_id);
  CREATE INDEX approvals_open ON approvals (created_at, id) WHERE state IN ('pending', 'allowed');
  CREATE INDEX approvals_code ON approvals (code, created_at);

  CREATE TABLE grants (
    id TEXT PRIMARY KEY, agent TEXT NOT NULL, kind TEXT NOT NULL, pattern TEXT NOT NULL, shown TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, created_by TEXT NOT NULL, uses INTEGER NOT NULL,
    last_used_at INTEGER, revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_live ON grants (agent, kind) WHERE revoked_at IS NULL;

  ALTER TABLE outbox ADD COLUMN buttons TEXT NOT NULL DEFAULT '[]';
  `,
  // Tools of MCP servers as the owner approved them.
  `
  CREATE TABLE mcp_tools (
    server TEXT NOT NULL, tool TEXT NOT NULL, hash TEXT NOT NULL, definition TEXT NOT NULL, approved_at INTEGER NOT NULL,
    approved_by TEXT NOT NULL, PRIMARY KEY (server, tool)
  ) STRICT, WITHOUT ROWID;
  `,
  // Of a mail that begins a conversation.
  `
  ALTER TABLE outbox ADD COLUMN subject TEXT NOT NULL DEFAULT '';
  `,
  // Where the content of files and the lines of the memory came from, and the memory's index and past.
  `
  CREATE TABLE content_labels (
    hash TEXT PRIMARY KEY, path TEXT NOT NULL, at INTEGER NOT NULL,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE memory_lines (
    path TEXT NOT NULL, hash TEXT NOT NULL, at INTEGER NOT NULL,
    integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL, PRIMARY KEY (path, hash)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE memory_files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, content TEXT NOT NULL) STRICT;

  CREATE TABLE memory_chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    text TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX memory_chunks_path ON memory_chunks (path);
  CREATE VIRTUAL TABLE memory_words USING fts5(
    text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
  );

  CREATE TABLE memory_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, path TEXT NOT NULL, before TEXT, after TEXT,
    who TEXT NOT NULL, session TEXT NOT NULL, integrity TEXT NOT NULL, readers TEXT NOT NULL, sources TEXT NOT NULL
  ) STRICT;
  `,
  // Whom and what the owner trusts by name.
  `
  CREATE TABLE trusted (
    kind TEXT NOT NULL, value TEXT NOT NULL, name TEXT NOT NULL, added_by TEXT NOT NULL, added_at INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
  ) STRICT, WITHOUT ROWID;
  `,
  // What was allowed for good is good for 30 days, also what was allowed before that held.
  `
  UPDATE grants SET expires_at = min(expires_at, created_at + 2592000000);
  `,
  // What it cost, in millionths of a dollar.
  `
  ALTER TABLE usage ADD COLUMN microusd INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE spending ADD COLUMN microusd INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE sessions ADD COLUMN microusd INTEGER NOT NULL DEFAULT 0;
  `,
];
