// Owns a running Discord channel for tests: the real channel against the double, what it emitted, and its end. It keeps
// every line that was logged, so that a test can look for what must not be in one.
import { once } from 'node:events';
import type {
  ChannelFailure,
  ChannelPorts,
  ConnectedChannel,
  GroupChange,
  InboundMessage,
} from '../../src/channels/channel.ts';
import { openDiscord } from '../../src/channels/discord/discord.ts';
import type { Log } from '../../src/log/log.ts';
import type { DiscordServer } from '../doubles/discord-server.ts';

export type LiveDiscord = ReturnType<typeof connectChannel>;

export function connectChannel(
  discord: DiscordServer,
  options: {
    readonly stateFolder: string;
    readonly token?: string;
    readonly readFile?: (path: string, maxBytes: number) => Promise<Uint8Array>;
    /** who is told beside the test, and decides what becomes of a message */
    readonly emit?: ChannelPorts['emit'];
    readonly groupChanged?: ChannelPorts['groupChanged'];
  },
) {
  const messages: InboundMessage[] = [];
  const changes: GroupChange[] = [];
  const gaps: string[] = [];
  const lines: string[] = [];
  const news = new EventTarget();
  const tell = (): void => void news.dispatchEvent(new Event('news'));
  const note = (message: string, fields?: unknown): void =>
    void lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`,
    );
  const log: Log = { debug: note, info: note, warn: note, error: note, reopen() {}, close() {}, file: '' };
  let signs = 0;
  let refusal: string | null = null;
  let connections = 0;
  let awaited = 0;
  let run: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;
  let failure: ChannelFailure | null = null;

  const channel: ConnectedChannel = openDiscord(
    {
      account: 'default',
      secrets: { token: options.token ?? discord.token },
      stateFolder: options.stateFolder,
      readFile: options.readFile ?? (() => Promise.reject(new Error('no files here'))),
      log,
      now: Date.now,
    },
    discord.endpoints,
  );
  const ports: ChannelPorts = {
    emit(message) {
      const why = refusal;
      refusal = null;
      if (why !== null) throw new Error(why);
      const settled = options.emit?.(message) ?? 'accepted';
      messages.push(message);
      tell();
      return settled;
    },
    groupChanged(change) {
      options.groupChanged?.(change);
      changes.push(change);
      tell();
    },
    chatMoved() {},
    alive() {
      signs += 1;
      tell();
    },
    gap(what) {
      gaps.push(what);
      tell();
    },
    log,
    now: Date.now,
  };
  const start = (): void => {
    const abort = new AbortController();
    failure = null;
    const done = channel
      .run(ports, abort.signal, () => {
        connections += 1;
        tell();
      })
      .catch((error: unknown) => {
        failure = error as ChannelFailure;
      })
      .finally(() => {
        run = null;
        tell();
      });
    run = { abort, done };
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await once(news, 'news');
  };
  start();
  return {
    channel,
    messages,
    changes,
    gaps,
    lines,
    start,
    until,
    signs: () => signs,
    failure: () => failure,
    isRunning: () => run !== null,
    /** One connection more than was waited for so far. */
    async connected(): Promise<void> {
      awaited += 1;
      await until(() => connections >= awaited || run === null);
      if (run === null) throw failure ?? new Error('it ended before it was connected');
    },
    async ended(): Promise<ChannelFailure | null> {
      await run?.done;
      return failure;
    },
    /** The next message cannot be stored. */
    refuseNext(why: string): void {
      refusal = why;
    },
    async stop(): Promise<void> {
      run?.abort.abort();
      await run?.done;
    },
  };
}
