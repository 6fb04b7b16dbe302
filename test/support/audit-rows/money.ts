// Rows of the audit's matrix: money, and a configuration that is not understood.
import type { Row } from './row.ts';

export const MONEY: readonly Row[] = [
  ['S127 it wakes up by itself', `{ agents: { defaults: { heartbeat: { every: "30m" } } } }`, ['W budget.missing']],
  [
    'S234 several people, no budget',
    `{ channels: { whatsapp: { allowFrom: ["+15551230001", "+15551230002", "+15551230003", "+15551230004"] } }, commands: { ownerAllowFrom: ["whatsapp:+15551230001"] } }`,
    ['W budget.missing'],
  ],
  ['a cap that is none', `{ budget: { daily: { usd: 50000 } } }`, ['W budget.too_large']],
  [
    'a month of less than a day',
    `{ budget: { daily: { usd: 10 }, monthly: { usd: 5 } } }`,
    ['W budget.month_below_day'],
  ],
  [
    'one sender more than all',
    `{ budget: { daily: { tokens: 100 }, perSender: { tokens: 200 } } }`,
    ['I budget.month_below_day'],
  ],
  [
    'a price that nobody knows',
    `{ budget: { daily: { usd: 5 } }, models: { providers: { far: { baseUrl: "https://models.example.net/v1" } } }, agents: { defaults: { model: { primary: "far/large-one" } } } }`,
    ['I models.price_unknown'],
  ],
];

export const BROKEN: readonly Row[] = [
  ['a key with a slip, which it takes along', `{ gateway: { bnd: "loopback" } }`, ['C config.invalid']],
  ['a section with a slip', `{ chanels: { telegram: { dmPolicy: "pairing" } } }`, ['C config.invalid']],
  ['a value that does not fit', `{ gateway: { port: "many" } }`, ['C config.invalid']],
  ['a channel that does not exist', `{ channels: { telegrm: { dmPolicy: "pairing" } } }`, ['C config.invalid']],
  [
    'a key with a slip hides nothing of its section',
    `{ gateway: { prt: 1, bind: "lan" }, tools: { exce: {}, exec: { mode: "full" } } }`,
    [
      'C config.invalid',
      'C config.invalid',
      'C gateway.bind_network_accessible',
      'W tools.exec.security_full_configured',
    ],
  ],
  ['a name without a provider', `{ agents: { defaults: { model: { primary: "claude" } } } }`, ['C config.invalid']],
  [
    'a danger that is none',
    `{ gateway: { dangerouslyExposeToNetwork: true } }`,
    ['W config.insecure_or_dangerous_flags'],
  ],
  ['too little memory', `{ agents: { defaults: { sandbox: { docker: { memory: "16m" } } } } }`, ['C config.invalid']],
];
