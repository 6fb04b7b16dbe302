// Owns the shape of openclaw.json as a whole: which sections there are, and the type that the rest of the program sees.
// The single place where a setting exists: validation, JSON Schema, docs and the settings form come from it.
import * as z from 'zod/mini';
import { agents } from './schema/agents.ts';
import { type ChannelName, channels } from './schema/channels.ts';
import { approvals, commands, messages, pairing, session } from './schema/conversation.ts';
import { budget, cron, hooks, mcp, memory, models, skills } from './schema/extensions.ts';
import { gateway } from './schema/gateway.ts';
import { attachments, backup, env, logging, secrets, update } from './schema/operations.ts';
import { actions, browser, security, tools, trust } from './schema/tools.ts';

/** A section is built when it is needed, since building all of it costs more than reading the file. */
export const SECTIONS = {
  gateway,
  channels,
  agents,
  models,
  tools,
  security,
  actions,
  trust,
  session,
  messages,
  commands,
  pairing,
  approvals,
  budget,
  browser,
  memory,
  skills,
  mcp,
  cron,
  hooks,
  secrets,
  backup,
  logging,
  update,
  attachments,
  env,
} as const;

export type SectionName = keyof typeof SECTIONS;
export const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

type Parsed = { [K in SectionName]: z.output<ReturnType<(typeof SECTIONS)[K]>> };

type WithAccounts<T> = T extends object ? Omit<T, 'accounts'> & { accounts: Record<string, Omit<T, 'accounts'>> } : T;

/** The settings as the program sees them: every default filled in, every secret in place of its reference. */
export type Config = Omit<Parsed, 'channels'> & {
  channels: Omit<Parsed['channels'], ChannelName> & { [K in ChannelName]?: WithAccounts<Parsed['channels'][K]> };
};
export type ProviderConfig = Config['models']['providers'][string];

/** The schema of everything, for JSON Schema, docs and tests. Loading builds section by section instead. */
export function wholeSchema() {
  const shape = Object.fromEntries(SECTION_NAMES.map((name) => [name, SECTIONS[name]()])) as {
    [K in SectionName]: ReturnType<(typeof SECTIONS)[K]>;
  };
  return z.strictObject({ $schema: z.optional(z.string()), ...shape });
}
