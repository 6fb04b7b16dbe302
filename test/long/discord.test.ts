// A bad day on Discord, with the real channel and its real supervisor against the double: lines cut, sessions ended, a disk
// that is full now and then, limits, lost answers. Every message is taken once, in the order of its chat, and answered once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { InboundMessage, Outbound } from '../../src/channels/channel.ts';
import { openDiscord } from '../../src/channels/discord/discord.ts';
import { createHealthRecord } from '../../src/channels/health-record.ts';
import { supervise } from '../../src/channels/supervise.ts';
import type { Log } from '../../src/log/log.ts';
import { DM, GUILD, ROOM, startDiscordServer, THREAD } from '../doubles/discord-server.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, reopen() {}, close() {}, file: '' };
const PLACES = [DM, ROOM, THREAD];
const MESSAGES = 600;
const pace = {
  firstWaitMs: 1,
  maxWaitMs: 20,
  refusedWaitMs: 50,
  steadyMs: 5,
  probeEveryMs: 50,
  probeLimitMs: 5_000,
  tickMs: 20,
  endMs: 5_000,
};

/** The same day every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each([1, 2, 3])('a bad day (%i): nothing lost, nothing doubled, everything in order', async (seed) => {
  const roll = dice(seed);
  const discord = await startDiscordServer({ heartbeatMs: 200 });
  const stateFolder = mkdtempSync(join(tmpdir(), 'hardshell-discord-day-'));
  const open = () =>
    openDiscord(
      {
        account: 'default',
        secrets: { token: discord.token },
        stateFolder,
        readFile: () => Promise.reject(),
        log: silent,
        now: Date.now,
      },
      discord.endpoints,
    );
  const taken = new Map<string, InboundMessage>();
  const answers = new Map<string, Promise<void>>();
  const gaps: string[] = [];
  let channel = open();
  let failures = 0;

  const answer = async (message: InboundMessage): Promise<void> => {
    const outbound: Outbound = {
      id: taken.size,
      channel: 'discord',
      account: 'default',
      chat: message.chat,
      thread: message.thread ?? '',
      replyTo: message.messageId,
      text: `answer to ${message.text}`,
      files: [],
      idempotencyKey: `reply:${message.messageId}`,
    };
    for (;;) {
      const receipt = await channel.send(outbound, new AbortController().signal);
      if (receipt.state === 'sent') return;
      expect(receipt).toMatchObject({ state: 'retry' });
      await sleep(receipt.state === 'retry' ? receipt.afterMs : 0);
    }
  };
  const emit = (message: InboundMessage) => {
    if (roll() < 0.02) {
      failures += 1;
      throw new Error('the disk is full');
    }
    const key = `${message.chat}/${message.thread ?? ''}/${message.messageId}`;
    if (taken.has(key)) return 'duplicate';
    taken.set(key, message);
    const lane = `${message.chat}/${message.thread ?? ''}`;
    answers.set(
      lane,
      (answers.get(lane) ?? Promise.resolve()).then(() => answer(message)),
    );
    return 'accepted';
  };
  const start = () => {
    channel = open();
    return supervise(channel, {
      emit,
      groupChanged() {},
      chatMoved() {},
      changed() {},
      log: {
        ...silent,
        warn: (text, fields) => text.startsWith('messages may') && void gaps.push(String(fields?.['what'])),
      },
      now: Date.now,
      record: createHealthRecord(null),
      pace,
    });
  };

  let supervisor = start();
  try {
    await expect.poll(() => supervisor.status().state).toBe('connected');
    // Chats that are known can be read back.
    for (const place of PLACES) discord.write({ channel: place, content: 'first' });
    await expect.poll(() => taken.size, { timeout: 60_000 }).toBe(PLACES.length);
    for (let n = 0; n < MESSAGES; n++) {
      discord.write({ channel: PLACES[Math.floor(roll() * PLACES.length)] ?? DM, content: `${n}` });
      const misfortune = roll();
      if (misfortune < 0.02) discord.cut();
      else if (misfortune < 0.03) discord.cut(4000);
      else if (misfortune < 0.04) discord.askReconnect();
      else if (misfortune < 0.045) {
        discord.cut();
        discord.forgetSessions();
      } else if (misfortune < 0.05) discord.invalidate(false);
      else if (misfortune < 0.09 && discord.pendingFaults() > 0) continue;
      else if (misfortune < 0.06) discord.script(/POST .*messages$/, 'after');
      else if (misfortune < 0.07) discord.script(/POST .*messages$/, { status: 429, body: { retry_after: 0.005 } });
      else if (misfortune < 0.08) discord.script(/POST .*messages$/, { status: 502, body: 'oops' });
      else if (misfortune < 0.09) discord.script(/GET .*/, { status: 500, body: 'oops' });
      else if (misfortune < 0.1) {
        // As after a restart; what was not written down yet is asked for once more.
        await supervisor.stop();
        supervisor = start();
      }
      await sleep(3);
    }
    await expect.poll(() => taken.size, { timeout: 60_000, interval: 50 }).toBe(MESSAGES + PLACES.length);
    await Promise.all(answers.values());

    for (const place of PLACES) {
      const texts = [...taken.values()].filter((one) => (one.thread ?? one.chat) === place).map((one) => one.text);
      const said = discord.history(place).filter((one) => (one['author'] as { bot?: boolean }).bot !== true);
      expect(texts).toEqual(said.map((one) => one['content']));
      const answered = discord.sent.filter((one) => one.channel === place).map((one) => one.payload['content']);
      expect(answered).toEqual(texts.map((text) => `answer to ${text}`));
    }
    expect(
      [...taken.values()].filter((one) => one.chatType === 'group').every((one) => one.within?.[0] === GUILD),
    ).toBe(true);
    expect(failures).toBeGreaterThan(0);
    expect(discord.resumed.length).toBeGreaterThan(5);
    // What Discord could not replay was read back, and named.
    expect(gaps.length).toBeGreaterThan(0);
  } finally {
    await supervisor.stop();
    await discord.close();
    rmSync(stateFolder, { recursive: true, force: true });
  }
});
