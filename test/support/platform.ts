// A pretended platform for tests of access: it keeps what is sent by it, and makes messages as a channel would.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel, InboundMessage, Outbound } from '../../src/channels/channel.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { ModelRequest } from '../../src/models/provider.ts';
import { UNTRUSTED } from '../../src/store/label.ts';
import { type CoreOptions, say, startCore } from './core.ts';

export type Message = Partial<Omit<InboundMessage, 'sender'>> & {
  readonly from?: string;
  readonly sender?: Partial<InboundMessage['sender']>;
};

let made = 0;
export function message({ from = '222', sender, ...more }: Message = {}): InboundMessage {
  made += 1;
  return {
    channel: 'telegram',
    account: 'default',
    chat: more.chatType === 'group' ? '-100' : from,
    messageId: `m${made}`,
    chatType: 'direct',
    sender: { id: from, ...sender },
    assurance: 'platform',
    text: 'hello',
    receivedAtMs: Date.now(),
    label: UNTRUSTED,
    ...more,
  };
}

export function readConfig(text: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'hardshell-config-'));
  try {
    const configPath = join(folder, 'openclaw.json');
    writeFileSync(configPath, text);
    return loadConfig({ configPath }, {}).config;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The inner house with Telegram as a list. */
export function startHouse(settings: string, options: Partial<CoreOptions> = {}) {
  const sent: Outbound[] = [];
  const requests: ModelRequest[] = [];
  const wanted: { n: number; resolve: () => void }[] = [];
  const platform = (id: string): Channel => ({
    id,
    account: 'default',
    idempotent: false,
    maxChars: 4_000,
    async send(outbound) {
      sent.push(outbound);
      for (const one of wanted) if (sent.length >= one.n) one.resolve();
      return { state: 'sent', messageId: String(sent.length) };
    },
  });
  let config = readConfig(settings);
  const core = startCore({
    model: (request) => {
      requests.push(request);
      return say(`answer ${requests.length}`);
    },
    ...options,
    config: () => config,
    channels: ['telegram', 'discord', 'mail', 'whatsapp', 'slack'].map(platform),
  });
  return {
    ...core,
    sent,
    requests,
    configure(text: string): void {
      config = readConfig(text);
      core.recheck();
    },
    /** resolves when so many messages have left in all */
    left: (n: number): Promise<void> =>
      sent.length >= n ? Promise.resolve() : new Promise((resolve) => wanted.push({ n, resolve })),
    /** the code in the last letter to this chat */
    codeTo: (chat: string): string =>
      /\b[A-HJ-NP-Z2-9]{8}\b/.exec(sent.filter((o) => o.chat === chat).at(-1)?.text ?? '')?.[0] ?? '',
    shown: (n: number): string => JSON.stringify(requests[n]?.messages ?? null),
  };
}
