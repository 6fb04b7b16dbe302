// Owns the closed schema of `connect`: the one message that is read from peers who have shown nothing yet. An unknown
// key, client id or mode is refused, never ignored.
import { z } from 'zod';
import { shown } from './printable.ts';

export const PROTOCOL = 4;
/** probes may still ask with the version before */
export const MIN_PROBE_PROTOCOL = 3;

const CLIENT_IDS = [
  'webchat-ui',
  'openclaw-control-ui',
  'openclaw-browser-copilot',
  'openclaw-tui',
  'webchat',
  'cli',
  'gateway-client',
  'openclaw-macos',
  'openclaw-linux',
  'openclaw-ios',
  'openclaw-watchos',
  'openclaw-android',
  'node-host',
  'openclaw-worker',
  'test',
  'fingerprint',
  'openclaw-probe',
] as const;

const CLIENT_MODES = ['webchat', 'cli', 'ui', 'backend', 'node', 'worker', 'probe', 'test'] as const;

const client = z.strictObject({
  id: z.enum(CLIENT_IDS),
  mode: z.enum(CLIENT_MODES),
  version: shown(128),
  platform: shown(128),
  displayName: shown(128).optional(),
  buildId: shown(96).optional(),
  deviceFamily: shown(128).optional(),
  modelIdentifier: shown(128).optional(),
  timeZone: shown(64).optional(),
  instanceId: shown(128).optional(),
});

const secret = z.string().max(4_096).optional();
const auth = z.strictObject({
  token: secret,
  password: secret,
  // Known, so that a client which sends them is understood; none of them opens anything here.
  deviceToken: secret,
  bootstrapToken: secret,
  approvalRuntimeToken: secret,
  agentRuntimeIdentityToken: secret,
});

/** Lengths and alphabets are checked by the proof itself, which answers with the code for each. */
const device = z.strictObject({
  id: z.string().min(1).max(128),
  publicKey: z.string().min(1).max(512),
  signature: z.string().min(1).max(512),
  signedAt: z.int().min(0),
  nonce: z.string().max(128).optional(),
});

const name = z.string().min(1).max(128);

export const connectParams = z.strictObject({
  minProtocol: z.int().min(1).max(1_000),
  maxProtocol: z.int().min(1).max(1_000),
  client,
  role: z.string().min(1).max(64).default('operator'),
  scopes: z.array(name).max(32).default([]),
  caps: z.array(name).max(64).default([]),
  auth: auth.optional(),
  device: device.optional(),
  locale: shown(64).optional(),
  userAgent: shown(1_024).optional(),
  // What nodes and newer pages declare about themselves. Read by nobody yet.
  commands: z.array(name).max(256).optional(),
  permissions: z.record(z.string().max(128), z.boolean()).optional(),
  pathEnv: z.string().max(16_384).optional(),
  computerUse: z.unknown().optional(),
  workerRuns: z.unknown().optional(),
  modelCatalog: z.unknown().optional(),
});

export type ConnectParams = z.output<typeof connectParams>;
export type DeviceClaim = NonNullable<ConnectParams['device']>;
