// Owns the shape of openclaw.json: every key, its default, its meaning. Unknown keys are refused, so that a setting
// with a typo can never be silently without effect.
import { z } from 'zod';

const modelEntry = z.strictObject({
  id: z.string().min(1),
  name: z.string().optional(),
  contextWindow: z.int().min(1_000).optional(),
  maxTokens: z.int().min(1).optional(),
});

const provider = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: z.string().min(1).optional(),
  api: z.enum(['anthropic-messages', 'openai-responses', 'openai-completions']).optional(),
  models: z.array(modelEntry).default([]),
});

export const configSchema = z.strictObject({
  gateway: z
    .strictObject({
      mode: z.literal('local').default('local'),
      port: z.int().min(1).max(65_535).default(18_789),
      bind: z.literal('loopback').default('loopback'),
      auth: z.strictObject({ mode: z.literal('token').default('token'), token: z.string().optional() }).prefault({}),
      controlUi: z
        .strictObject({ enabled: z.boolean().default(true), allowedOrigins: z.array(z.string()).default([]) })
        .prefault({}),
    })
    .prefault({}),
  agents: z
    .strictObject({
      defaults: z
        .strictObject({
          workspace: z.string().min(1).optional(),
          model: z
            .strictObject({ primary: z.string().min(1).optional(), fallbacks: z.array(z.string().min(1)).default([]) })
            .prefault({}),
          timeoutSeconds: z.int().min(1).max(86_400).default(600),
          maxOutputTokens: z.int().min(256).default(8_192),
        })
        .prefault({}),
    })
    .prefault({}),
  models: z
    .strictObject({ providers: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/), provider).default({}) })
    .prefault({}),
  tools: z
    .strictObject({
      exec: z
        .strictObject({
          timeoutSeconds: z.int().min(1).max(3_600).default(120),
          memoryMb: z.int().min(64).default(1_024),
          maxProcesses: z.int().min(8).default(128),
        })
        .prefault({}),
    })
    .prefault({}),
  messages: z
    .strictObject({
      queue: z
        .strictObject({
          mode: z.enum(['steer', 'followup', 'interrupt']).default('steer'),
          cap: z.int().min(1).default(20),
        })
        .prefault({}),
    })
    .prefault({}),
  logging: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      maxFileBytes: z.int().min(10_000).default(10_000_000),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof provider>;

/** Dotted paths whose values never leave the process; `*` stands for one segment. */
export const SECRET_PATHS: readonly string[] = ['gateway.auth.token', 'models.providers.*.apiKey'];
