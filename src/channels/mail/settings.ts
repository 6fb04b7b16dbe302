// Owns what the mail channel is made from, checked and complete. TLS is no setting: the one way around it is an argument
// of the tests, which no configuration reaches and which accepts loopback addresses only.
import { addressOf } from '../../net/mail-words.ts';
import { ChannelFailure } from '../channel.ts';

export type MailServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
};
export type MailSettings = {
  readonly account: string;
  /** the mailbox; answers are sent from it */
  readonly address: string;
  readonly imap: MailServer;
  readonly smtp: MailServer;
};

/** Only a test makes one. `ca`: the certificate that its server has; `dangerouslyPlain`: no TLS at all. */
export type MailTesting = { readonly ca?: string; readonly dangerouslyPlain?: true; readonly idleMs?: number };

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

export function checkTesting(testing: MailTesting, ...servers: MailServer[]): void {
  if (!testing.dangerouslyPlain && testing.ca === undefined) return;
  for (const { host } of servers) if (!LOOPBACK.test(host)) throw new Error(`only loopback may be tested, not ${host}`);
}

type Settings = Readonly<Record<string, unknown>>;
const group = (settings: Settings, key: string): Settings => (settings[key] ?? {}) as Settings;
const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** What is missing before mail can run, or null. Passwords are asked for elsewhere. */
export function missingForMail(settings: Settings): { readonly what: string; readonly fix: string } | null {
  const lacks = (key: string, like: string) => ({
    what: `channels.mail has no ${key}, so it stays off`,
    fix: `openclaw config set channels.mail.${key} ${like}`,
  });
  if (addressOf(text(settings['address'])) === null) return lacks('address', 'assistant@example.com');
  if (text(group(settings, 'imap')['host']) === '') return lacks('imap.host', 'imap.example.com');
  if (text(group(settings, 'smtp')['host']) === '') return lacks('smtp.host', 'smtp.example.com');
  return null;
}

export function mailSettings(
  account: string,
  settings: Settings,
  secrets: Readonly<Record<string, string>>,
): MailSettings {
  const missing = missingForMail(settings);
  if (missing) throw new ChannelFailure('refused', missing.what, missing.fix);
  const address = text(settings['address']).toLowerCase();
  const server = (key: string, port: number, user: string, password: string): MailServer => {
    const own = group(settings, key);
    return {
      host: text(own['host']),
      port: Number(own['port'] ?? port),
      user: text(own['user']) || user,
      password: secrets[`${key}.password`] ?? password,
    };
  };
  const imap = server('imap', 993, address, '');
  return { account, address, imap, smtp: server('smtp', 465, imap.user, imap.password) };
}

/** What went wrong with a mail server, in the words of the contract. */
export function failureOf(error: unknown, what: string, key: 'imap' | 'smtp'): ChannelFailure {
  if (error instanceof ChannelFailure) return error;
  const raw = error as { code?: string; response?: unknown; authenticationFailed?: boolean; message?: string };
  const isOneLine = typeof raw.response === 'string' ? raw.response : (raw.message ?? String(error));
  const reason = isOneLine.replace(/\s+/g, ' ').slice(0, 200);
  // A server that is only overloaded says so while it refuses the login (RFC 5530); it may work later.
  const isLater = /\b(UNAVAILABLE|LIMIT|INUSE)\b/.test(reason) || /^4\d\d/.test(reason);
  if ((raw.authenticationFailed || raw.code === 'EAUTH') && !isLater) {
    return new ChannelFailure(
      'refused',
      `${what} refused the login: ${reason}`,
      'openclaw channels add mail   (most providers want an app password, which you make there)',
    );
  }
  if (
    /CERT|TLS|SSL|SELF_SIGNED|VERIFY|altname|ETLS/i.test(
      `${(error as { originalCode?: string }).originalCode ?? ''} ${raw.code ?? ''}`,
    )
  ) {
    return new ChannelFailure(
      'network',
      `${what} has no certificate that holds: ${reason}`,
      `check channels.mail.${key}.host`,
    );
  }
  return new ChannelFailure(
    'network',
    `${what} does not answer: ${reason}`,
    `check channels.mail.${key}.host and port`,
  );
}

/** The answer, or a failure when it does not come in time. */
export function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ChannelFailure('network', `${what} did not answer within ${limitMs / 1_000} seconds`, '')),
      limitMs,
    ).unref();
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
