// Owns `openclaw token generate` and `token rotate`. The token in force is never printed; a generated one is in force
// nowhere.
import { loadConfig } from '../../../config/load.ts';
import { type HardshellError, misconfigured } from '../../../platform/errors.ts';
import { newToken } from '../../../platform/ids.ts';
import { rotateGatewayToken } from '../../../secrets/gateway-token.ts';
import type { Context } from '../../context.ts';
import { milliseconds } from '../../numbers.ts';
import { formatTime } from '../../print/units.ts';
import { openConfig } from '../config/open.ts';

const notAsked = (mode: string): HardshellError =>
  misconfigured(
    'TOKEN_NOT_IN_FORCE',
    `gateway.auth.mode is "${mode}", so a new token would change nothing`,
    mode === 'password' ? 'change the password: openclaw secrets rotate NAME' : 'set gateway.auth.mode to "token"',
  );

const MAX_GRACE_MS = 30 * 24 * 3_600_000;

export async function generate({ out }: Context): Promise<undefined> {
  const token = newToken(32);
  out.data({ token });
  out.line(token);
}

export async function rotate({ out, env: processEnv }: Context, flags: { grace?: string }): Promise<undefined> {
  const graceMs = milliseconds(flags.grace, '--grace', MAX_GRACE_MS) ?? 0;
  const { paths, env, resolve } = await openConfig(processEnv);
  const { mode, token: configured } = loadConfig(paths, env, { ...resolve, sections: ['gateway'] }).config.gateway.auth;
  if (mode !== 'token') throw notAsked(mode);
  const rotation = rotateGatewayToken(paths, env, {
    ...(typeof configured === 'string' ? { configured } : {}),
    graceMs,
    nowMs: Date.now(),
  });
  const until = rotation.previousUntilMs;
  out.data({ previousUntilMs: until, ...(rotation.note === undefined ? {} : { note: rotation.note }) });
  out.line('the gateway has a new token, from now on; connected clients stay connected');
  out.line(until === null ? 'the old one has ended' : `the old one works until ${formatTime(until)}`);
  if (rotation.note !== undefined) out.note(rotation.note);
  out.note('to sign in again: openclaw dashboard');
}
