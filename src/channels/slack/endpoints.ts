// Owns where Slack is: the only hosts that this channel speaks to. No setting reaches it; a test hands over its own.
import { platformUrl } from '../../net/platform-url.ts';

export type SlackEndpoints = {
  /** Web API, with the slash at its end */
  readonly api: string;
  /** host of the socket; one that begins with a dot stands for what is below it */
  readonly socketHost: string;
  /** host that files are fetched from and sent to */
  readonly fileHost: string;
  /** a socket that answers no ping for so long is dead */
  readonly deafAfterMs: number;
};

export const SLACK: SlackEndpoints = {
  api: 'https://slack.com/api/',
  socketHost: '.slack.com',
  fileHost: 'files.slack.com',
  deafAfterMs: 15_000,
};

const isPlain = ({ api }: SlackEndpoints): boolean => api.startsWith('http:');

/** The address when it is one of Slack's, else null. */
export const socketUrl = (text: unknown, at: SlackEndpoints): URL | null =>
  platformUrl(text, 'ws', { hosts: [at.socketHost], isPlain: isPlain(at) });
export const fileUrl = (text: unknown, at: SlackEndpoints): URL | null =>
  platformUrl(text, 'http', { hosts: [at.fileHost], isPlain: isPlain(at) });
