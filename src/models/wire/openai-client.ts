// Owns the one place where the official OpenAI SDK is loaded, and its settings. The SDK must never look into the
// environment for keys or addresses, never retry and never log.
import type { OpenAI } from 'openai';
import type { AdapterOptions, Connection, Endpoint } from './connection.ts';
import { SDK_TIMEOUT_MS, SILENT_LOGGER } from './reply.ts';

export const OPENAI_BASE_URL = 'https://api.openai.com/v1';

export const openaiEndpoint = (options: AdapterOptions): Endpoint => ({
  ...options,
  baseUrl: options.baseUrl.replace(/\/+$/, ''),
  auth: 'bearer',
});

/** A client for one request: it is cheap, and so each request has its own fetch with its own clock. */
export async function openaiClient(connection: Connection): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    // Local servers need no key, the SDK insists on one; the connection sends none when ours is empty.
    apiKey: connection.endpoint.apiKey || 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: connection.endpoint.baseUrl,
    fetch: connection.fetch,
    maxRetries: 0,
    timeout: SDK_TIMEOUT_MS,
    logger: SILENT_LOGGER,
    logLevel: 'off',
  });
}
