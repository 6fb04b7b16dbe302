// Owns where Discord is: the only hosts that this channel speaks to. No setting reaches it; a test hands over its own.
import { platformUrl } from '../../net/platform-url.ts';

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

const isPlain = ({ api }: DiscordEndpoints): boolean => api.startsWith('http:');

/** The address when it is one of Discord's, else null. */
export const gatewayUrl = (text: unknown, at: DiscordEndpoints): URL | null =>
  platformUrl(text, 'ws', { hosts: at.gatewayHosts, isPlain: isPlain(at) });
export const mediaUrl = (text: unknown, at: DiscordEndpoints): URL | null =>
  platformUrl(text, 'http', { hosts: at.mediaHosts, isPlain: isPlain(at) });
