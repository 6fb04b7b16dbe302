// Owns where Slack is: the only hosts that this channel speaks to. No setting reaches it; a test hands over its own.

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

/** The address when it is one of Slack's, encrypted unless the API of a test is not, else null. */
export function allowedUrl(text: unknown, kind: 'socket' | 'file', at: SlackEndpoints): URL | null {
  if (typeof text !== 'string' || !URL.canParse(text)) return null;
  const url = new URL(text);
  const isPlain = at.api.startsWith('http:');
  const scheme = { socket: isPlain ? 'ws:' : 'wss:', file: isPlain ? 'http:' : 'https:' }[kind];
  if (url.protocol !== scheme || url.username !== '' || url.password !== '') return null;
  const host = kind === 'socket' ? at.socketHost : at.fileHost;
  return (host.startsWith('.') ? url.host.endsWith(host) : url.host === host) ? url : null;
}
