// Owns the settings of what the assistant may do: tools, commands, files, the web, and what always needs your word.
import * as z from 'zod/mini';
import {
  flag,
  group,
  ids,
  list,
  maybeChoice,
  maybeMatch,
  maybeText,
  maybeTexts,
  secret,
  texts,
  whatever,
  whole,
} from './leaf.ts';

/** Where a tool is used: in a direct chat, a group, a public channel; * is everywhere else. Other keys name a chat or a sender. */
export const CONTEXTS = ['*', 'dm', 'group', 'channel'] as const;
const PLACE = /^(?=\S)[^\p{Cc}]{1,250}(?<=\S)$/u;
export const TOOL_RULES = ['deny', 'ask', 'allow'] as const;

export const tools = () =>
  group('What the assistant may use', {
    profile: maybeChoice('A ready-made set; otherwise coding for you. Others have messaging at most', [
      'minimal',
      'messaging',
      'coding',
      'full',
    ]),
    allow: maybeTexts('Only these tools or groups, such as group:fs'),
    deny: texts('Never these; wins over everything'),
    policies: whatever(
      'By place (*, dm, group, channel), chat or sender: a tool or group, and allow, ask or deny. exec and browser are denied outside direct chats',
      z._default(z.record(z.string().check(z.regex(PLACE)), z.record(z.string(), z.enum(TOOL_RULES))), {}),
    ),
    fs: group('Files', {
      workspaceOnly: flag(
        'Only inside the workspace and security.allowedPaths; false: read, not written, elsewhere',
        true,
      ),
    }),
    exec: group('Commands', {
      mode: maybeChoice(
        'none; those made of listed programs on allowed paths, the others asked; each asked; or any. Left out: any inside the box, none outside',
        ['deny', 'allowlist', 'ask', 'full'],
      ),
      allow: texts('With mode allowlist: programs that need no question, by name or absolute path'),
      safeBins: texts('With mode allowlist: programs that need none while they only filter what is piped in', [
        'cut',
        'uniq',
        'head',
        'tail',
        'tr',
        'wc',
      ]),
      strictInlineEval: flag('Ask for code in an argument (python -c, node -e) even when the program is allowed', true),
      timeoutSeconds: whole('Longest command', 120, { min: 1, max: 3_600 }),
      grantExpiryDays: whole('For how many days "always allow" is good; never more than 30', 30, { min: 1, max: 365 }),
    }),
    sandbox: group('Inside the box', {
      tools: group('Which tools boxed conversations have', {
        allow: maybeTexts('Only these'),
        deny: texts('Never these'),
      }),
    }),
    elevated: group('Leaving the box for one command', {
      enabled: flag('While a window is open (/elevated on, openclaw elevated on), a command may ask you', false),
      allowFrom: ids('In whose chats, such as telegram:123456; webchat:owner is the page and the terminal'),
    }),
    web: group('The web', {
      search: group('Searching', {
        enabled: flag('Offer web_search: what is searched for goes to the search service', true),
        provider: maybeMatch(
          'brave, duckduckgo, tavily, or the address of your SearXNG; otherwise brave with a key, duckduckgo without',
          /^(?:brave|duckduckgo|tavily|https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?)$/,
        ),
        apiKey: secret('The key of brave or tavily'),
      }),
      fetch: group('Reading pages', {
        enabled: flag('Offer web_fetch; private addresses are never reached', true),
        maxChars: whole('How much of a page is shown to the model', 20_000, { min: 500 }),
        maxBytes: whole('How much of a page is read', 1_000_000, { min: 10_000 }),
        allowedHosts: maybeTexts('Only these hosts, such as *.example.net'),
        blockedHosts: texts('Never these hosts and what is below them; wins over allowedHosts'),
      }),
    }),
    loopDetection: group('Repetition', { enabled: flag('Stop a turn that repeats itself', true) }),
  });

export const security = () =>
  group('Borders', {
    workspace: maybeText('The folder of the assistant, the same as agents.defaults.workspace', { restart: true }),
    allowedPaths: texts('Folders and files outside the workspace that it may use; with :ro behind it only to read'),
    deniedPaths: texts(
      'Never these, or with :w behind it never written; wins over everything. Keys, wallets and the state folder are always denied',
    ),
    dangerouslyReadable: texts('Exact paths among those that hold keys and logins, which it may read all the same'),
    audit: group('The audit', {
      suppressions: list('Findings that you have decided to live with', {
        checkId: maybeText('The id of the check'),
        reason: maybeText('Why'),
        expires: maybeMatch('Until when, as 2026-12-31', /^\d{4}-\d{2}-\d{2}$/),
      }),
    }),
    installPolicy: group('Installing skills', {
      enabled: flag(
        'What you install waits for your approval; false: what was scanned without a finding is approved with that',
        true,
      ),
    }),
  });

export const actions = () =>
  group('Acts that need your word whatever the tool', {
    email: group('Mail', {
      requireConfirmation: flag('Ask before a mail is sent', true),
      allowedRecipients: texts('Recipients, such as *@example.net; if there are any, others are refused'),
    }),
    message: group('Messages', {
      requireConfirmation: flag('Ask before a message goes anywhere but to the chat that it answers', true),
      allowedRecipients: texts('Chats, such as telegram:123456; if there are any, others are refused'),
    }),
    undoSeconds: whole('For how long such a message or mail can be taken back before it leaves', 10, {
      min: 0,
      max: 300,
    }),
    destructive: group('Deleting and overwriting', {
      requireConfirmation: flag(
        'What neither trash nor undo brings back asks: commands that delete or overwrite (rm, dd, git reset --hard) on the host, or in a box with useTrash off',
        true,
      ),
      useTrash: flag(
        'rm in a box moves to .trash in the workspace instead of deleting; after 30 days, or beyond 1 GB, it goes',
        true,
      ),
    }),
    money: group('Spending', {
      requireConfirmation: flag(
        'Not in force: no tool can spend anything yet. It will ask before anything is bought or paid',
        true,
      ),
    }),
  });

export const trust = () =>
  group('How sensitive your things are', {
    tiers: group('Paths, sender:telegram:42 and connector:mail by tier', {
      high: texts('Secret: only in your direct chats, and once it was read nothing leaves unasked'),
      medium: texts('Only in direct chats with you'),
      low: texts('Anybody may see it, also where its name looks private'),
    }),
  });

export const browser = () =>
  group('A real browser', {
    enabled: flag(
      'Let the assistant use one, in your direct chats. Turn on two-factor login for your accounts first',
      false,
    ),
    headless: flag(
      'Without a window, and in a box where there is one. A window has no box, only the walls of the browser',
      true,
    ),
    allowedHosts: maybeTexts('Only these hosts, for pages and all that they load; *.example.net is what is below it'),
    dangerouslyAllowPrivateNetwork: flag('Pages on your own network may be opened; never those of this machine', false),
  });
