// Owns what a platform is handed to make a channel from: its settings, its secrets, a folder, and nothing of the house.
import type { Log } from '../log/log.ts';

/** What a platform is made from. Everything in it was checked; nothing is connected yet. */
export type ChannelSetup = {
  readonly account: string;
  /** its keys of the configuration, with those of the channel that an account leaves out */
  readonly settings: Readonly<Record<string, unknown>>;
  /** by key, as platforms.ts lists them; all that are needed are there */
  readonly secrets: Readonly<Record<string, string>>;
  /** a folder of its own for what it must remember, below credentials/ since it may be secret; made when it is used */
  readonly stateFolder: string;
  /** the bytes of a file in the workspace, by a handle that leads nowhere else */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  readonly log: Log;
  readonly now: () => number;
};
