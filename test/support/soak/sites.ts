// Owns the five platforms of a soak: who is on them, how one says something by its double, how the double misbehaves, and
// what it shows in the end. Everything is drawn from the dice of the run, so a seed plays the same day again.
import { randomUUID } from 'node:crypto';
import { BOT as DISCORD_BOT, type DiscordServer, GUILD } from '../../doubles/discord-server.ts';
import { mailOf } from '../../doubles/mail-domain.ts';
import { type MailHouse, PASSWORD, type startPostOffice } from '../../doubles/mail-servers.ts';
import { APP_TOKEN, BOT as SLACK_BOT, type SlackServer } from '../../doubles/slack-server.ts';
import { BOT as TELEGRAM_BOT, TELEGRAM_TOKEN, type TelegramServer } from '../../doubles/telegram-server.ts';
import type { startLiveWhatsapp } from '../../doubles/whatsapp/live-server.ts';
import type { Dice } from './dice.ts';

/** One distinct message, as it will be found in the inbox (`chat` and `messageId`) and on the platform (`lane`). */
export type Said = {
  readonly chat: string;
  readonly messageId: string;
  readonly lane: string;
  readonly tag: string;
  readonly isAnswered: boolean;
  /** its platform delivered it before or after another one of the same moment */
  readonly isScrambled: boolean;
};
export type Shown = { readonly lane: string; readonly text: string };
export type Site = {
  readonly id: string;
  readonly settings: object;
  /** every chat speaks once: a platform that has lost its session can only be asked about chats that are known */
  begin?(): readonly Said[];
  /** one or two messages of somebody, friend or stranger */
  say(): Promise<readonly Said[]> | readonly Said[];
  /** one thing said before is delivered once more */
  again(): Promise<void> | void;
  /** something goes wrong with the next reply; true when it may leave a reply's fate unknown */
  spoilReply(): boolean;
  /** something goes wrong with the connection */
  spoilLine(): void;
  shown(): readonly Shown[];
};

/** So many that nobody reaches the twenty messages a minute that a person may send. */
const FRIENDS = 400;
const STRANGERS = 40;
const ROOMS = 12;
/** Direct chats where they are few: as many as can be read back after a session was lost. Who has one is in no room. */
const DMS = 20;
/** Of what is said: to a room, by a stranger, to nobody. Of more than 300 refusals a minute only the number is kept. */
const SHARE = { room: 0.5, stranger: 0.02, unaddressed: 0.03, pair: 0.02 } as const;

type Draft = {
  readonly who: number;
  readonly room: number | null;
  readonly isFriend: boolean;
  readonly isAddressed: boolean;
};
const draw = (dice: Dice): Draft => {
  const isFriend = !dice.happens(SHARE.stranger);
  const isRoom = isFriend && dice.happens(SHARE.room);
  return {
    who: isRoom ? DMS + dice.below(FRIENDS - DMS) : dice.below(isFriend ? FRIENDS : STRANGERS),
    room: isRoom ? dice.below(ROOMS) : null,
    isFriend,
    isAddressed: !isRoom || !dice.happens(SHARE.unaddressed),
  };
};
const tagFor = (): string => randomUUID().slice(0, 18);
const wordsOf = (tag: string, { isFriend, isAddressed }: Draft): string =>
  isFriend && isAddressed ? `hello [[id:${tag}]]` : `psst ${tag}`;
const isAnswered = ({ isFriend, isAddressed }: Draft): boolean => isFriend && isAddressed;
const list = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const picked = <T>(dice: Dice, all: readonly T[]): T | undefined => all[dice.below(all.length)];

export function telegramSite(telegram: TelegramServer, dice: Dice): Site {
  const person = (n: number, isFriend: boolean) => ({
    id: (isFriend ? 10_000 : 90_000) + n,
    is_bot: false,
    first_name: `P${n}`,
  });
  const room = (n: number) => ({ id: -1_001_000_000_000 - n, type: 'supergroup', title: `Room ${n}` });
  const direct = (who: ReturnType<typeof person>) => ({ id: who.id, type: 'private', first_name: who.first_name });
  for (const n of Array(ROOMS).keys()) telegram.chats.set(String(room(n).id), room(n));
  for (const isFriend of [true, false])
    for (const n of Array(FRIENDS).keys())
      telegram.chats.set(String(person(n, isFriend).id), direct(person(n, isFriend)));
  const ids: number[] = [];
  const make = (draft: Draft) => {
    const from = person(draft.who, draft.isFriend);
    const chat = draft.room === null ? direct(from) : room(draft.room);
    const tag = tagFor();
    const name = `@${TELEGRAM_BOT.username}`;
    const isCalled = draft.room !== null && draft.isAddressed;
    const text = `${isCalled ? `${name} ` : ''}${wordsOf(tag, draft)}`;
    const entities = isCalled ? [{ type: 'mention', offset: 0, length: name.length }] : [];
    return { body: { from, chat, text, entities }, tag, chat: String(chat.id), draft };
  };
  return {
    id: 'telegram',
    settings: {
      ...{ apiRoot: telegram.url, botToken: TELEGRAM_TOKEN, dmPolicy: 'allowlist' },
      allowFrom: list(FRIENDS, (n) => String(person(n, true).id)),
      groupAllowFrom: list(FRIENDS, (n) => String(person(n, true).id)),
      groups: Object.fromEntries(list(ROOMS, (n) => [String(room(n).id), {}])),
    },
    say() {
      const draft = draw(dice);
      const made = dice.happens(SHARE.pair) ? [make(draft), make(draft)] : [make(draft)];
      // Both come in one answer, and the later one first.
      const sent = telegram.sayTogether(
        made.map(({ body }) => body),
        (all) => all.reverse(),
      );
      ids.push(...sent);
      return made.map(({ tag, chat }, n) => ({
        ...{ chat, messageId: String(sent[n]), lane: chat, tag },
        ...{ isAnswered: isAnswered(draft), isScrambled: made.length > 1 },
      }));
    },
    again: () => void telegram.again(picked(dice, ids.slice(-200)) ?? 0),
    spoilReply() {
      const kind = dice.below(5);
      if (kind === 0) telegram.fault('sendMessage', { kind: 'error', code: 429, retryAfterS: 1 });
      else if (kind === 1) telegram.fault('sendMessage', { kind: 'html', status: 502 });
      else if (kind === 2) telegram.fault('sendMessage', { kind: 'answer-lost' });
      else if (kind === 3) telegram.fault('sendMessage', { kind: 'drop' });
      else telegram.fault('sendMessage', { kind: 'slow', ms: 200 });
      return kind >= 1 && kind <= 3;
    },
    spoilLine() {
      const kind = dice.below(3);
      if (kind === 0) telegram.fault('getUpdates', { kind: 'error', code: 502 });
      else if (kind === 1) telegram.fault('getUpdates', { kind: 'answer-lost' });
      else telegram.cut();
    },
    shown: () => telegram.sent.map(({ chat, text }) => ({ lane: chat, text })),
  };
}

export function discordSite(discord: DiscordServer, dice: Dice): Site {
  const id = (kind: number, n: number): string => `${kind}00000000000000${String(n).padStart(4, '0')}`;
  const friend = (n: number) => ({ id: id(21, n), username: `p${n}` });
  const stranger = (n: number) => ({ id: id(22, n), username: `s${n}` });
  const room = (n: number): string => id(41, n);
  const dm = (n: number): string => id(51, n);
  const strangeDm = (n: number): string => id(52, n);
  for (const n of Array(ROOMS).keys())
    discord.addChannel({ id: room(n), type: 0, guild_id: GUILD, name: `room-${n}`, parent_id: null });
  for (const n of Array(DMS).keys()) discord.addChannel({ id: dm(n), type: 1, recipients: [friend(n)] });
  for (const n of Array(5).keys()) discord.addChannel({ id: strangeDm(n), type: 1, recipients: [stranger(n)] });
  const ids: string[] = [];
  const make = (draft: Draft) => {
    const who = draft.isFriend ? (draft.room === null ? draft.who % DMS : draft.who) : draft.who % 5;
    const author = draft.isFriend ? friend(who) : stranger(who);
    const channel = draft.room !== null ? room(draft.room) : draft.isFriend ? dm(who) : strangeDm(who);
    const tag = tagFor();
    const name = draft.room !== null && draft.isAddressed ? `<@${DISCORD_BOT.id}> ` : '';
    return { written: { channel, author, content: `${name}${wordsOf(tag, draft)}` }, tag, channel };
  };
  const one = ({ written, tag, channel }: ReturnType<typeof make>, answered: boolean): Said => {
    const messageId = String(discord.write(written)['id']);
    return { chat: channel, messageId, lane: channel, tag, isAnswered: answered, isScrambled: false };
  };
  return {
    id: 'discord',
    settings: {
      ...{ token: discord.token, dmPolicy: 'allowlist' },
      allowFrom: list(DMS, (n) => friend(n).id),
      guilds: { [GUILD]: { channels: list(ROOMS, room), users: list(FRIENDS, (n) => friend(n).id) } },
    },
    begin: () => [
      ...list(ROOMS, (n) => one(make({ who: DMS + n, room: n, isFriend: true, isAddressed: true }), true)),
      ...list(DMS, (n) => one(make({ who: n, room: null, isFriend: true, isAddressed: true }), true)),
      ...list(5, (n) => one(make({ who: n, room: null, isFriend: false, isAddressed: true }), false)),
    ],
    say() {
      // Fewer direct chats here, so fewer go to them: a person may write twenty times a minute.
      const first = draw(dice);
      const draft =
        first.isFriend && first.room === null && dice.happens(0.8)
          ? { ...first, room: dice.below(ROOMS), who: DMS + (first.who % (FRIENDS - DMS)) }
          : first;
      const made = dice.happens(SHARE.pair) ? [make(draft), make(draft)] : [make(draft)];
      const before = new Set(discord.history(made[0]?.channel ?? '').map((one) => one['id']));
      if (made.length > 1) discord.writeBackwards(made.map(({ written }) => written));
      else for (const { written } of made) discord.write(written);
      const fresh = discord.history(made[0]?.channel ?? '').filter((one) => !before.has(one['id']));
      return made.map(({ tag, channel }, n) => {
        const messageId = String(fresh[n]?.['id']);
        ids.push(messageId);
        return {
          ...{ chat: channel, messageId, lane: channel, tag },
          ...{ isAnswered: isAnswered(draft), isScrambled: made.length > 1 },
        };
      });
    },
    again: () => discord.repeat(picked(dice, ids.slice(-200)) ?? ''),
    spoilReply() {
      const kind = dice.below(4);
      const route = /^POST .*\/messages$/;
      if (kind === 0)
        discord.script(route, { status: 429, body: { retry_after: 0.3, message: 'slow down', global: false } });
      else if (kind === 1) discord.script(route, { status: 502, body: 'oops' });
      else if (kind === 2) discord.script(route, 'after');
      else discord.script(route, 'drop');
      return kind > 0;
    },
    spoilLine() {
      const kind = dice.below(5);
      if (kind === 0) discord.cut();
      else if (kind === 1) discord.cut(4000);
      else if (kind === 2) discord.askReconnect();
      else if (kind === 3) discord.invalidate(false);
      else {
        discord.forgetSessions();
        discord.cut();
      }
    },
    shown: () => discord.sent.map(({ channel, payload }) => ({ lane: channel, text: String(payload['content']) })),
  };
}

export function slackSite(slack: SlackServer, dice: Dice): Site {
  const friend = (n: number): string => `UF${String(n).padStart(7, '0')}`;
  const room = (n: number): string => `CR${String(n).padStart(7, '0')}`;
  const dm = (n: number): string => `DF${String(n).padStart(7, '0')}`;
  const ids: { readonly message: Record<string, unknown> }[] = [];
  const make = (draft: Draft) => {
    const who = draft.isFriend ? (draft.room === null ? draft.who % DMS : draft.who) : draft.who % 5;
    const user = draft.isFriend ? friend(who) : `US${String(who).padStart(7, '0')}`;
    const channel =
      draft.room !== null ? room(draft.room) : draft.isFriend ? dm(who) : `DS${String(who).padStart(7, '0')}`;
    const tag = tagFor();
    const isCalled = draft.room !== null && draft.isAddressed;
    const text = `${isCalled ? `<@${SLACK_BOT.userId}> ` : ''}${wordsOf(tag, draft)}`;
    return { message: slack.messageOf({ channel, user, text }), tag, channel, isCalled };
  };
  return {
    id: 'slack',
    settings: {
      ...{ botToken: SLACK_BOT.token, appToken: APP_TOKEN, dmPolicy: 'allowlist' },
      allowFrom: list(DMS, friend),
      groupAllowFrom: list(FRIENDS, friend),
      groups: Object.fromEntries(list(ROOMS, (n) => [room(n), {}])),
    },
    say() {
      const first = draw(dice);
      const draft =
        first.isFriend && first.room === null && dice.happens(0.8)
          ? { ...first, room: dice.below(ROOMS), who: DMS + (first.who % (FRIENDS - DMS)) }
          : first;
      const made = dice.happens(SHARE.pair) ? [make(draft), make(draft)] : [make(draft)];
      for (const { message } of made) slack.history.push(message);
      for (const { message, isCalled } of [...made].reverse()) {
        slack.roomOf(message.channel);
        slack.deliver(slack.callbackOf(message));
        // Slack tells of a mention twice.
        if (isCalled) slack.deliver(slack.callbackOf({ ...message, type: 'app_mention' }));
        ids.push({ message });
      }
      return made.map(({ tag, channel, message }) => ({
        ...{ chat: channel, messageId: `${channel}:${message.ts}`, lane: channel, tag },
        ...{ isAnswered: isAnswered(draft), isScrambled: made.length > 1 },
      }));
    },
    again() {
      const one = picked(dice, ids.slice(-200));
      if (one) slack.deliver(slack.callbackOf(one.message));
    },
    spoilReply() {
      const kind = dice.below(5);
      if (kind === 0) slack.fault('chat.postMessage', { status: 429, retryAfter: '1' });
      else if (kind === 1) slack.fault('chat.postMessage', { status: 502 });
      else if (kind === 2) slack.fault('chat.postMessage', 'lost');
      else if (kind === 3) slack.fault('chat.postMessage', 'drop');
      else slack.fault('chat.postMessage', { slowMs: 200 });
      return kind >= 1 && kind <= 3;
    },
    spoilLine() {
      if (dice.below(2) === 0) slack.dropSockets();
      else slack.disconnect('refresh_requested', 2_000);
    },
    shown: () => slack.posted.map(({ channel, text = '' }) => ({ lane: channel, text })),
  };
}

export function whatsappSite(whatsapp: Awaited<ReturnType<typeof startLiveWhatsapp>>, dice: Dice): Site {
  const number = (n: number): string => `+4917000${String(n).padStart(4, '0')}`;
  const said: Record<string, unknown>[] = [];
  return {
    id: 'whatsapp',
    settings: { dmPolicy: 'allowlist', allowFrom: list(FRIENDS, number) },
    say() {
      const draft = { ...draw(dice), room: null, isAddressed: true };
      const sender = number(draft.who + (draft.isFriend ? 0 : 5_000));
      const [chat, tag, messageId] = [`${sender.slice(1)}@s.whatsapp.net`, tagFor(), `ID${said.length}`];
      const message = {
        ...{ chat, chatType: 'direct', messageId, sender, text: wordsOf(tag, draft), sentAtMs: Date.now() },
        ...{ addressed: { mention: false, replyToBot: false }, attachments: [] },
      };
      said.push(message);
      whatsapp.say(message);
      return [{ chat, messageId, lane: chat, tag, isAnswered: isAnswered(draft), isScrambled: false }];
    },
    again() {
      const one = picked(dice, said.slice(-50));
      if (one) whatsapp.say(one);
    },
    spoilReply() {
      const kind = (['lost', 'late', 'cut'] as const)[dice.below(3)] ?? 'late';
      whatsapp.fault(kind);
      return kind !== 'late';
    },
    spoilLine: whatsapp.cut,
    shown: () => whatsapp.shown.map(({ chat, text }) => ({ lane: chat, text })),
  };
}

export function mailSite(house: MailHouse, post: Awaited<ReturnType<typeof startPostOffice>>, dice: Dice): Site {
  const said: Buffer[] = [];
  const server = (port: number) => ({ host: '127.0.0.1', port, user: house.server.user, password: PASSWORD });
  return {
    id: 'mail',
    settings: {
      ...{ address: 'bot@house.example', imap: server(house.server.port), smtp: server(post.server.port) },
      ...{ dmPolicy: 'allowlist', allowFrom: ['*@friends.example'], minEvidence: 'asserted' },
    },
    async say() {
      const draft = { ...draw(dice), room: null, isAddressed: true };
      const tag = tagFor();
      const from = draft.isFriend ? `p${draft.who}@friends.example` : `s${draft.who}@strangers.example`;
      const id = `<${tag}@${from.split('@')[1]}>`;
      const mail = mailOf({ from, id, subject: 'soak', text: wordsOf(tag, draft) });
      said.push(mail);
      await house.deliver(mail);
      const messageId = `claimed:${from}/${id}`;
      return [{ chat: from, messageId, lane: `${from}/${id}`, tag, isAnswered: isAnswered(draft), isScrambled: false }];
    },
    async again() {
      const one = picked(dice, said.slice(-20));
      if (one) await house.deliver(one);
    },
    spoilReply() {
      post.feel('drop-after-data');
      setTimeout(() => post.feel('take'), 100).unref();
      return true;
    },
    spoilLine() {},
    shown: () =>
      post.taken.map(({ to, raw }) => {
        const about = /^In-Reply-To: (<[^>]+>)/m.exec(raw)?.[1] ?? '';
        return { lane: `${to[0]}/${about}`, text: /re [0-9a-f-]{18}/.exec(raw)?.[0] ?? raw };
      }),
  };
}
