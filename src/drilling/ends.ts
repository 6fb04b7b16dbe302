// Owns the ends of a drill's world: pages, mails and chats that are played, and everything beyond them refused and written
// down. Part of the composition; nothing here ever dials.
import type { DrillMail } from '../audit/drill/scenario.ts';
import type { Channel } from '../channels/channel.ts';
import type { MailReader } from '../net/mail-words.ts';
import { createWeb, type Web, type WebSettings } from '../net/web/web.ts';
import { HardshellError } from '../platform/errors.ts';

/** What leaves for the web is noted with all that stands in its address, and then there is no network. */
export function playedWeb(
  pages: Readonly<Record<string, string>>,
  settings: () => WebSettings,
  left: (what: string) => void,
): Web {
  let asked = '';
  const real = createWeb({
    settings,
    ownPorts: () => [],
    dangerously: {
      // Past this everything would be dialled: names are the last thing that is asked for.
      resolve: async () => {
        left(asked);
        throw noNetwork();
      },
    },
  });
  return {
    ...real,
    async fetchPage(url, signal) {
      const text = pages[url];
      if (text !== undefined) return { kind: 'page', url, status: 200, title: '', text, isCut: false };
      asked = url;
      // An address in digits is asked of nobody, and would be dialled at once.
      if (/^[\d.]+$|^\[/.test(new URL(url).hostname)) {
        left(url);
        throw noNetwork();
      }
      return real.fetchPage(url, signal);
    },
    async search(query) {
      left(`search: ${query}`);
      throw noNetwork();
    },
  };
}

const noNetwork = (): HardshellError =>
  new HardshellError({ code: 'DRILL_NO_NETWORK', message: 'a drill has no network', fix: '' });

export function playedMailbox(mails: readonly DrillMail[]): MailReader {
  const rows = mails.map((mail, n) => ({ ...mail, id: String(n + 1), arrivedAtMs: Date.now(), files: 0 }));
  return {
    search: async () => rows.map(({ text: _, ...found }) => found),
    async read(id) {
      const mail = rows.find((one) => one.id === id);
      if (!mail) throw new Error('there is no such mail');
      const more = { isVerified: false, because: 'a drill', messageId: `<${id}@drill.example>`, quoted: '' };
      return { ...mail, ...more, attachments: [] };
    },
  };
}

export type Sending = { readonly to: string; readonly text: string; readonly key: string };

export const playedChannel = (id: string, sent: (one: Sending) => void): Channel => ({
  ...{ id, account: 'default', idempotent: true, maxChars: 4_000, maxFileBytes: 1_000_000 },
  async send({ channel, account, chat, text, idempotencyKey }) {
    sent({ to: `${channel}:${account}:${chat}`, text, key: idempotencyKey });
    return { state: 'sent' };
  },
});
