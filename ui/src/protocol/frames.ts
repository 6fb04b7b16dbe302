// Owns the frames of the gateway's protocol (version 4) as this page uses them, and the careful reading of what arrives.
// Nothing from the wire is trusted to have a shape: a field that is missing or odd becomes a harmless default.

export type Json = Record<string, unknown>;

export type EventFrame = {
  readonly type: 'event';
  readonly event: string;
  readonly payload: Json;
  readonly seq: number | null;
};
export type ResponseFrame = {
  readonly type: 'res';
  readonly id: string;
  readonly ok: boolean;
  readonly payload: unknown;
  readonly error: GatewayError | null;
};

export type GatewayError = {
  readonly code: string;
  readonly message: string;
  /** the finer code, such as AUTH_TOKEN_MISMATCH, when there is one */
  readonly detail: string;
  /** what to do about it, when the gateway says */
  readonly fix: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
};

export function readFrame(data: unknown): EventFrame | ResponseFrame | null {
  if (typeof data !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  const frame = objectOf(value);
  if (frame['type'] === 'event' && typeof frame['event'] === 'string') {
    return { type: 'event', event: frame['event'], payload: objectOf(frame['payload']), seq: numberOf(frame['seq']) };
  }
  if (frame['type'] === 'res' && typeof frame['id'] === 'string') {
    const ok = frame['ok'] === true;
    return {
      type: 'res',
      id: frame['id'],
      ok,
      payload: frame['payload'],
      error: ok ? null : readError(frame['error']),
    };
  }
  return null;
}

export function readError(value: unknown): GatewayError {
  const error = objectOf(value);
  const details = objectOf(error['details']);
  return {
    code: textOf(error['code']) || 'UNAVAILABLE',
    message: textOf(error['message']) || 'the gateway refused without a reason',
    detail: textOf(details['code']) || textOf(details['reason']),
    fix: textOf(details['fix']) || textOf(error['fix']),
    retryable: error['retryable'] === true,
    retryAfterMs: numberOf(error['retryAfterMs']) ?? numberOf(details['retryAfterMs']),
  };
}

export type Hello = {
  readonly version: string;
  /** changes when the gateway was restarted */
  readonly bootId: string;
  readonly methods: ReadonlySet<string>;
  readonly mainSessionKey: string;
  readonly tickIntervalMs: number;
};

export function readHello(value: unknown): Hello {
  const hello = objectOf(value);
  const server = objectOf(hello['server']);
  const snapshot = objectOf(hello['snapshot']);
  const policy = objectOf(hello['policy']);
  return {
    version: textOf(server['version']),
    bootId: textOf(server['bootId']),
    methods: new Set(listOf(objectOf(hello['features'])['methods']).map(textOf)),
    mainSessionKey: textOf(objectOf(snapshot['sessionDefaults'])['mainSessionKey']) || 'agent:main:main',
    tickIntervalMs: numberOf(policy['tickIntervalMs']) ?? 30_000,
  };
}

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
