// Owns the walk over everything that people write to: each channel, each of its accounts, with the path of its settings.
import { showKeyPath } from '../../../config/edit/key-path.ts';
import { CHANNEL_NAMES, type ChannelName } from '../../../config/schema/channels.ts';
import type { Config } from '../../../config/schema.ts';

export type Account = {
  readonly channel: ChannelName;
  /** such as channels.telegram or channels.telegram.accounts.work */
  readonly at: string;
  readonly enabled: boolean;
  readonly dmPolicy: string;
  readonly allowFrom: readonly string[];
  readonly dangerouslyAllowAnyone: boolean;
  readonly groupPolicy?: string;
  readonly groupAllowFrom?: readonly string[];
  readonly groups?: Readonly<
    Record<string, { readonly requireMention: boolean; readonly allowFrom?: readonly string[] }>
  >;
  readonly guilds?: Readonly<Record<string, { readonly users: readonly string[]; readonly roles: readonly string[] }>>;
  readonly minEvidence?: string;
};

export function* accountsOf({ channels }: Config): Generator<Account> {
  for (const channel of CHANNEL_NAMES) {
    const whole = channels[channel] as unknown as
      | (Omit<Account, 'channel' | 'at'> & { accounts?: Record<string, Account> })
      | undefined;
    if (whole === undefined) continue;
    const at = `channels.${channel}`;
    const { accounts = {}, ...own } = whole;
    yield { ...own, channel, at };
    for (const [id, account] of Object.entries(accounts))
      yield { ...account, channel, at: showKeyPath(['channels', channel, 'accounts', id]) };
  }
}

export const isOpen = ({ dmPolicy, allowFrom }: Account): boolean =>
  dmPolicy !== 'disabled' && (dmPolicy === 'open' || allowFrom.includes('*'));

/** Where everybody in any group is heard. */
export const isOpenToGroups = (account: Account): boolean =>
  account.groupPolicy !== 'disabled' &&
  (account.groupPolicy === 'open' ||
    (account.groupAllowFrom ?? []).includes('*') ||
    Object.values(account.groups ?? {}).some(({ allowFrom }) => allowFrom?.includes('*')));

/** A list without "*" as it should stand, or null: then it is left out. */
export const named = (list: readonly string[]): readonly string[] | null => {
  const left = list.filter((entry) => entry !== '*');
  return left.length > 0 ? left : null;
};
