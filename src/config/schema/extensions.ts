// Owns the settings of what is added from outside or runs by itself: models, MCP servers, skills, memory, cron, webhooks.
import * as z from 'zod/mini';
import {
  choice,
  flag,
  group,
  list,
  maybeAmount,
  maybeChoice,
  maybeMatch,
  maybeText,
  maybeTexts,
  maybeWhole,
  named,
  secret,
  secretsByName,
  textOr,
  texts,
  whatever,
  whole,
} from './leaf.ts';

const HTTP = /^https?:\/\/[^\s\p{Cc}]+$/u;

export const models = () =>
  group('Where models are reached', {
    providers: named(
      'Providers by id; anthropic and openai need nothing but a key',
      {
        baseUrl: maybeMatch('Its http or https address, such as https://host/v1', HTTP),
        apiKey: secret('Key; otherwise the environment or credentials/<id>-key'),
        api: maybeChoice('Which protocol it speaks', ['anthropic-messages', 'openai-responses', 'openai-completions']),
        headers: secretsByName('Headers to send along'),
        models: list('Models it offers', {
          id: whatever('Name that the provider uses', z.string().check(z.minLength(1))),
          name: maybeText('Name to show'),
          contextWindow: maybeWhole('Context in tokens', { min: 1_000 }),
          maxTokens: maybeWhole('Longest answer in tokens', { min: 1 }),
          cost: whatever(
            'Prices for a million tokens in US dollars: input, output, cacheRead, cacheWrite',
            z.optional(
              z.partialRecord(z.enum(['input', 'output', 'cacheRead', 'cacheWrite']), z.number().check(z.minimum(0))),
            ),
          ),
        }),
      },
      /^[a-z0-9][a-z0-9-]{0,63}$/,
    ),
  });

export const budget = () =>
  named(
    'What may be spent: daily, monthly, perSender (a day, each but you), perSession, provider-<name> (a day); over it no model is asked',
    {
      usd: maybeAmount('In US dollars'),
      tokens: maybeWhole('In tokens', { min: 1 }),
    },
    /^(daily|monthly|perSender|perSession|provider-[a-z0-9][a-z0-9-]{0,63})$/,
  );

/** What policy weighs a call by; the words are those of policy/flow/roles.ts. */
const EFFECTS = z.strictObject({
  effect: z.enum([
    ...(['read', 'fetch', 'search', 'reversible', 'irreversible', 'message'] as const),
    ...(['grant-access', 'money', 'credential', 'execute'] as const),
  ]),
  args: z._default(z.record(z.string(), z.enum(['target', 'object', 'payload', 'amount'])), {}),
  result: z._default(z.enum(['own', 'untrusted']), 'untrusted'),
  readers: z.optional(z.enum(['secret', 'public'])),
});

export const mcp = () =>
  group('Tools from other programs', {
    servers: named('MCP servers by name', {
      enabled: flag('Use it', true),
      command: maybeText('Program to start, inside the box'),
      args: texts('Its arguments'),
      env: secretsByName('Its environment; it gets nothing else'),
      workspace: choice('What its box has of the workspace; none: a folder of its own', 'none', ['none', 'ro', 'rw']),
      allowedHosts: texts('Hosts that it may reach from its box, such as api.example.net or *.example.net'),
      url: maybeMatch('Address of a server that runs elsewhere', HTTP),
      headers: secretsByName('Headers to send along, to that address alone'),
      toolFilter: group('Which of its tools', { allow: maybeTexts('Only these'), deny: texts('Never these') }),
      tools: named(
        'What is known of a tool, by the name that the server gives it',
        {
          effects: whatever(
            'What it does, in the words of docs/mcp.md: effect, args, result, readers; a tool without it asks each time',
            z.optional(EFFECTS),
          ),
        },
        /^[\w./-]{1,128}$/,
      ),
      timeoutSeconds: whole('Longest call', 60, { min: 1, max: 3_600 }),
    }),
  });

export const skills = () =>
  group('Skills that you approved (openclaw skills)', {
    allow: maybeTexts('Only these, by name'),
    entries: named('Settings of a skill by its name', {
      enabled: flag('Offer it', true),
      env: secretsByName('Variables for commands in the box that name a file of it'),
    }),
  });

export const memory = () =>
  group('Memory', {
    enabled: flag('Offer memory_search, memory_get and memory_write to the owner, where nobody else listens', true),
    scanSecrets: flag('Refuse to remember what looks like a secret or a payment card', true),
  });

export const cron = () =>
  group('Scheduled turns', {
    enabled: flag('Run them', true),
    skipMissedJobs: flag('What was due while the gateway was down is not made up for', false),
    timeZone: maybeText('Time zone, such as Europe/Berlin; otherwise that of this machine'),
  });

export const hooks = () =>
  group('Webhooks: others start a turn by HTTP', {
    enabled: flag('Offer them', false),
    path: textOr('Below which path', '/hooks', /^\/[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/),
    token: secret('Token of its own, at least 32 characters, not the gateway token'),
    allowedAgentIds: texts('Agents that may be addressed', ['main']),
  });
