// Owns the settings of conversations: which messages share a session, what waits, who is the owner, how strangers pair.
import * as z from 'zod/mini';
import { choice, flag, group, ids, maybeWhole, textOr, texts, whatever, whole } from './leaf.ts';

const DURATION = /^\d{1,6}(m|h|d)$/;

export const session = () =>
  group('Which messages share a conversation', {
    dmScope: choice(
      'Direct messages: a conversation for each person on each channel (the owner always has the main one), or coarser',
      'per-channel-peer',
      ['per-account-channel-peer', 'per-channel-peer', 'per-peer', 'main'],
    ),
    groupScope: choice('Groups: one conversation each', 'per-group', ['per-group', 'main']),
    identityLinks: whatever(
      'The same person on several channels: a name with ids such as telegram:123',
      z._default(z.record(z.string(), z.array(z.string())), {}),
    ),
    reset: group('When a conversation starts anew by itself', {
      mode: choice('Never, every day, or after a pause', 'none', ['none', 'daily', 'idle']),
      atHour: whole('Hour of the daily reset', 4, { min: 0, max: 23 }),
      idleMinutes: maybeWhole('Pause after which a conversation starts anew', { min: 1 }),
    }),
    maintenance: group('What is kept', {
      pruneAfter: textOr('For how long finished messages are kept', '30d', DURATION),
    }),
  });

export const messages = () =>
  group('How messages are taken in', {
    groupChat: group('In groups', {
      mentionPatterns: texts('Words or simple patterns that count as a mention, such as "@openclaw"'),
    }),
    queue: group('Messages that arrive during a turn', {
      mode: choice('steer: into the running turn; followup: afterwards; interrupt: stop and start anew', 'steer', [
        'steer',
        'followup',
        'interrupt',
      ]),
      cap: whole('How many may wait in one conversation', 20, { min: 1 }),
    }),
  });

export const commands = () =>
  group('Slash commands in chats', {
    ownerAllowFrom: ids('You: ids such as telegram:123456; only these may approve and command'),
    allowFrom: ids('Others that may use harmless commands'),
  });

export const pairing = () =>
  group('How strangers become known', {
    autoApprove: flag('Let every stranger in without asking you', false),
    dangerouslyAutoApproveStrangers: flag('You know what autoApprove does: strangers talk, and spend, at once', false),
    groups: flag('A group that the assistant is added to needs your approval too', true),
    codeTtlMinutes: whole('For how long a pairing code is good', 60, { min: 1, max: 1_440 }),
    holdMessage: flag('Keep the message of a stranger, encrypted, and deliver it once you approve them', false),
  });

export const approvals = () =>
  group('Questions to you', {
    timeoutSeconds: whole('After this time without an answer the answer is no', 86_400, { min: 10, max: 86_400 }),
  });
