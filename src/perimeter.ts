// Owns joining the channels to the house: what they may use, where their messages go, and which edits of the configuration
// they hear of. Part of the composition; it decides nothing about who may talk.

import type { Boxes } from './boxes/boxes.ts';
import { reportChannels } from './channel-reports.ts';
import { createAttachments, type Keep } from './channels/attachments.ts';
import type { Channel, ChannelPorts, InboundMessage } from './channels/channel.ts';
import { createLinking } from './channels/linking.ts';
import { createChannelHost } from './channels/open.ts';
import { PLATFORMS, type Platforms } from './channels/platforms.ts';
import { webchat } from './channels/webchat.ts';
import type { Env, Paths } from './config/paths.ts';
import type { Config } from './config/schema.ts';
import type { Core, CorePorts } from './core.ts';
import type { ChannelReport } from './gateway/backend.ts';
import type { Log } from './log/log.ts';
import type { Outgoing } from './outward/outgoing.ts';
import { openNotes } from './store/notes.ts';
import type { Store } from './store/open.ts';

export type PerimeterPorts = {
  readonly store: Store;
  readonly log: Log;
  readonly env: Env;
  readonly paths: Paths;
  /** the copies of files that wait to leave */
  readonly outgoing: Outgoing;
  readonly config: () => Config;
  readonly now: () => number;
  readonly platforms?: Platforms;
  hide(secret: string): void;
  /** the folder that a conversation has, where what came with its messages is kept */
  readonly rootOf: Boxes['rootOf'];
};
/** What becomes of what arrives. */
export type Inward = Pick<ChannelPorts, 'emit' | 'groupChanged'> & {
  chatMoved(channel: string, account: string, from: string, to: string): void;
  /** the settings changed, and with them perhaps who may talk */
  recheck(): void;
  /** the platform refuses us, and did not before */
  channelLost(channel: string, account: string, reason: string, fix: string): void;
};

const SAVE_EVERY_MS = 60 * 60_000;

export function createPerimeter(ports: PerimeterPorts) {
  const { log, now, paths, env } = ports;
  let inward: Inward | null = null;
  /** of these the owner was told */
  const lost = new Set<string>();
  const worked = new Set<string>();
  const ready = (): Inward => {
    if (!inward) throw new Error('a channel spoke before anybody listened');
    return inward;
  };
  const host = createChannelHost({
    platforms: ports.platforms ?? PLATFORMS,
    emit: (message) => ready().emit(message),
    groupChanged: (change) => ready().groupChanged(change),
    chatMoved: (...moved) => ready().chatMoved(...moved),
    changed({ id, account, state, problem, day }) {
      log.info('channel', { channel: id, account, state, ...(problem ? { reason: problem.reason } : {}) });
      const name = `${id}/${account}`;
      if (state === 'connected') worked.add(name);
      if (state === 'connected') lost.delete(name);
      // What has not worked for a day is no news: status says it, and a restart must not say it again.
      if (state !== 'refused' || lost.has(name) || !(worked.has(name) || day.roundTrips > 0)) return;
      lost.add(name);
      try {
        ready().channelLost(id, account, problem?.reason ?? '', problem?.fix ?? '');
      } catch (error) {
        log.error('the owner could not be told of a lost channel', { error });
      }
    },
    env,
    credentialsDir: paths.credentialsDir,
    memory: openNotes(ports.store),
    readFile: ports.outgoing.read,
    hide: ports.hide,
    log,
    now,
  });
  const attachments = createAttachments({
    connected: host.connected,
    maxBytes: () => ports.config().channels.defaults.mediaMaxMb * 1_000_000,
    log,
    now,
  });
  const probe = async (id?: string): Promise<void> => {
    await host.apply(ports.config());
    await host.probe(id);
  };
  const linking = createLinking({
    login: (account) => host.connected('whatsapp', account)?.login,
    prepare: async () => {
      const { codeFolderOf, installSide } = await import('./channels/whatsapp/install.ts');
      await installSide(codeFolderOf(paths.stateDir), env);
    },
    draw: async (text) => {
      const { renderSVG } = await import('uqr');
      return `data:image/svg+xml;base64,${Buffer.from(renderSVG(text, { border: 3 })).toString('base64')}`;
    },
    linked: () => void probe('whatsapp'),
  });
  const saving = setInterval(host.save, SAVE_EVERY_MS).unref();
  const forCore: Pick<CorePorts, 'channelOf' | 'typing' | 'takeFiles'> = {
    channelOf: (id, account): Channel | undefined => (id === webchat.id ? webchat : host.channelOf(id, account)),
    typing: ({ channel, account, chat, thread = '' }) => host.typing(channel, account, { chat, thread }),
    takeFiles: ({ message, sessionKey, agentId }, signal) => {
      const speaker = { ...message, sender: message.sender.id };
      const keep: Keep = async (path, bytes) =>
        (await ports.rootOf({ sessionKey, agentId, speaker })).create(path, Buffer.from(bytes));
      return attachments.take(message, keep, signal);
    },
  };
  return {
    forCore,
    /** Also looks whether something that was missing is there now, such as the file of a token. */
    probe,
    linking,
    /** In the account that was written to, else in the first one. */
    mailboxOf({ channel, account }: Pick<InboundMessage, 'channel' | 'account'>) {
      const accounts = host.status().flatMap((one) => (one.id === 'mail' ? [one.account] : []));
      const [first] = channel === 'mail' && accounts.includes(account) ? [account] : accounts;
      const reader = first === undefined ? undefined : host.connected('mail', first)?.mailbox;
      return first === undefined || reader === undefined ? null : { account: first, reader };
    },
    hasChannels: (): boolean => host.status().length > 0,
    /** Every channel of the configuration, whether it runs or not, with what the tables know of it. */
    reports: (tables: Pick<Core, 'inbox' | 'outbox'>): ChannelReport[] => reportChannels(host, tables, now()),
    apply(config: Config): Promise<void> {
      inward?.recheck();
      return host.apply(config);
    },
    /** From now on what arrives goes there. Resolves when every channel was started; they connect by themselves. */
    open(to: Inward): Promise<void> {
      inward = to;
      return host.apply(ports.config());
    },
    async close(): Promise<void> {
      clearInterval(saving);
      linking.stop();
      await host.stop();
    },
  };
}
