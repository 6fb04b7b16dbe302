// Owns where the secrets of a channel come from, and whether they can be right. A token of another platform is refused here,
// before anybody is shown it; no message may repeat one.
import type { ChannelName } from '../config/schema/channels.ts';
import { tryReadSecret, tryReadSecretAt } from '../secrets/files.ts';
import type { Platform } from './platforms.ts';

/** Its name in the configuration, as a channel without `accounts` has only one. */
export const DEFAULT_ACCOUNT = 'default';

/** One account of the configuration. */
export type Wanted = { readonly id: ChannelName; readonly account: string; readonly settings: Record<string, unknown> };
type SecretPorts = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly credentialsDir: string;
};

/** A file that is named goes first, then the setting, then the variable, then credentials/<channel>-<key>. */
export function secretsOf(
  { id, account, settings }: Wanted,
  platform: Platform,
  ports: SecretPorts,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { key, env, fileKey } of platform.secrets) {
    const file = fileKey === undefined ? undefined : settings[fileKey];
    const set = key
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], settings);
    const isDefault = account === DEFAULT_ACCOUNT;
    const value =
      (typeof file === 'string' ? tryReadSecretAt(file) : undefined) ??
      (typeof set === 'string' ? set : undefined) ??
      (env !== undefined && isDefault ? ports.env[env] : undefined) ??
      tryReadSecret(ports.credentialsDir, secretName(id, account, key));
    const text = value?.trim();
    if (text) found[key] = text;
  }
  return found;
}

/** Where `channels add` puts it: `telegram-bot-token`, or `telegram-work-bot-token` for an account. */
export function secretName(id: string, account: string, key: string): string {
  const name = key.replace(/\./g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return account === DEFAULT_ACCOUNT ? `${id}-${name}` : `${id}-${account}-${name}`;
}

/** What is missing or cannot be right, before the platform sees it; `tokens` remembers whose each one is. */
export function lackOf(
  { id, account, settings }: Wanted,
  platform: Platform,
  secrets: Record<string, string>,
  at: string,
  tokens: Map<string, string>,
): { what: string; fix: string } | null {
  for (const { key, needed, mode, shape, label, env, example } of platform.secrets) {
    if (mode !== undefined && settings['mode'] !== mode) continue;
    const value = secrets[key];
    if (value === undefined) {
      if (!needed) continue;
      const variable = env && account === DEFAULT_ACCOUNT ? `, or set ${env}` : '';
      return { what: `${at} has no ${label}, so it stays off`, fix: `openclaw channels add ${id}${variable}` };
    }
    if (shape && !shape.test(value)) {
      const like = example === undefined ? '' : ` (it looks like ${example})`;
      return { what: `${at}.${key} is no ${platform.label} ${label}${like}`, fix: `openclaw channels add ${id}` };
    }
    // The first one names the bot; a password, or what belongs to a whole app, may well serve two.
    const isIdentity = key === platform.secrets[0]?.key && shape !== undefined;
    const other = isIdentity ? tokens.get(value) : undefined;
    if (other !== undefined) {
      const fix = `give ${at} a ${label} of its own, or remove it`;
      return { what: `${at} has the ${label} of ${other}, and only one can use it`, fix };
    }
    if (isIdentity) tokens.set(value, at);
  }
  return null;
}
