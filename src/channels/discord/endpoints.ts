// Owns where Discord is: the only hosts that this channel speaks to. No setting reaches it; a test hands over its own.

export type DiscordEndpoints = {
  /** REST, without the version */
  readonly api: string;
  /** hosts a gateway address may name; one that begins with a dot stands for what is below it */
  readonly gatewayHosts: readonly string[];
  /** hosts that attachments are fetched from */
  readonly mediaHosts: readonly string[];
  /** before a new session is asked for after one was refused: between this and five times as long */
  readonly identifyWaitMs: number;
  /** after a reply whose answer was lost; Discord knows its nonce for some minutes, and far less is used of it */
  readonly askAgainMs: readonly number[];
};

export const DISCORD: DiscordEndpoints = {
  api: 'https://discord.com/api',
  gatewayHosts: ['.discord.gg'],
  mediaHosts: ['cdn.discordapp.com', 'media.discordapp.net'],
  identifyWaitMs: 1_000,
  askAgainMs: [500, 1_500, 4_000, 8_000, 12_000],
};

/** The address when it is one of Discord's, encrypted unless the REST address of a test is not, else null. */
export function allowedUrl(
  text: string,
  kind: 'gateway' | 'media',
  { api, gatewayHosts, mediaHosts }: DiscordEndpoints,
): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPlain = api.startsWith('http:');
  const scheme = { gateway: isPlain ? 'ws:' : 'wss:', media: isPlain ? 'http:' : 'https:' }[kind];
  if (url.protocol !== scheme || url.username !== '' || url.password !== '') return null;
  const hosts = kind === 'gateway' ? gatewayHosts : mediaHosts;
  const isListed = hosts.some((host) => (host.startsWith('.') ? url.host.endsWith(host) : url.host === host));
  return isListed ? url : null;
}
