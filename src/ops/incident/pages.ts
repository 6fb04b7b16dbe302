// Owns where a credential is taken back: the page or the words at whoever issued it, since nobody else can do that. A table.

/** What a credential's name says about its issuer, and what to do there. The first that fits. */
const ISSUERS: readonly (readonly [RegExp, string])[] = [
  [/anthropic/i, 'https://console.anthropic.com/settings/keys: delete it, make a new one'],
  [/openai/i, 'https://platform.openai.com/api-keys: revoke it, make a new one'],
  [/openrouter/i, 'https://openrouter.ai/settings/keys: delete it, make a new one'],
  [/telegram/i, 'in Telegram, to @BotFather: /revoke, choose the bot'],
  [/discord/i, 'https://discord.com/developers/applications: Bot, Reset Token'],
  [/slack/i, 'https://api.slack.com/apps: OAuth & Permissions, Revoke; then install again'],
  [/whatsapp/i, 'on the phone: Settings, Linked Devices, log it out; then openclaw channels login whatsapp'],
  [/mail|imap|smtp/i, 'at your mail provider: change the app password'],
  [/brave/i, 'https://api-dashboard.search.brave.com: delete the key, make a new one'],
  [/tavily/i, 'https://app.tavily.com: delete the key, make a new one'],
];

export const takenBackAt = (name: string): string =>
  ISSUERS.find(([names]) => names.test(name))?.[1] ?? 'at whoever issued it';
