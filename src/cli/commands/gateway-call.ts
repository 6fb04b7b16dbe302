// Owns `openclaw gateway call`: any method of the protocol by name, for scripts and for looking closer. It asks for the
// scope that the method needs; a method that it does not know is called with all that the token allows.
import { misused, reasonOf } from '../../platform/errors.ts';
import { isObject } from '../../platform/json.ts';
import type { Scope } from '../client.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { wholeNumber } from '../numbers.ts';
import { withProgress } from '../print/progress.ts';
import { escapeJson } from '../print/text.ts';
import type { TargetFlags } from '../target.ts';

const READING =
  /^(health|status|system-presence|last-heartbeat|logs\.tail|config\.get|agent\.identity\.get|channels\.(status|why|pairing\.(list|approved))|chat\.history|(models|agents|sessions)\.(list|describe)|sessions\.(messages\.)?(un)?subscribe|(outbox|trash|elevated|sandbox|workspace\.undo|audit|trust|memory|mcp|panic|usage)\.(list|status|preview|log|report|verify|show|search|sources|state|changes?))$/;
const WRITING =
  /^(agent|agent\.wait|chat\.(send|abort)|sessions\.patch|outbox\.undo|trash\.restore|elevated\.end|panic\.raise|mcp\.probe|memory\.(revert|forget)|workspace\.undo\.apply)$/;
const APPROVING = /^(exec\.approval\.|outbox\.release$|mcp\.(approve|revoke)$)/;

/** What the gateway asks for the method; a test holds the two together. */
export const scopeOf = (method: string): Scope => {
  if (APPROVING.test(method)) return 'operator.approvals';
  if (READING.test(method)) return 'operator.read';
  return WRITING.test(method) ? 'operator.write' : 'operator.admin';
};

export async function run(
  context: Context,
  options: TargetFlags & { params?: string; timeout?: string },
  method: string,
): Promise<undefined> {
  const params = parseParams(options.params);
  const timeoutMs = wholeNumber(options.timeout, '--timeout', 30, 86_400) * 1000;
  const payload = await withClient(context, options, { scopes: [scopeOf(method)] }, (client) =>
    withProgress(
      context.out,
      `waiting for ${method}`,
      client.request(method, params, { timeoutMs, onAccepted: () => {} }),
    ),
  );
  context.out.data(payload);
  if (!context.out.json) context.out.text(`${escapeJson(JSON.stringify(payload ?? null, null, 2))}\n`);
}

function parseParams(text: string | undefined): unknown {
  if (text === undefined) return {};
  let why = 'it is not an object';
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    why = reasonOf(error);
  }
  throw misused('PARAMS_UNUSABLE', `--params cannot be used: ${why}`, `write it like --params '{"limit":5}'`);
}
