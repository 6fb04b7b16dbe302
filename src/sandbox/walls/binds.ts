// Owns which further folders of the host a box may show: each is looked at again when the box opens, after following links,
// and known from then on by what it is and not by its name. It must never let one in that a command could swap.
import { lstatSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, normalize } from 'node:path';
import { hostParts } from '../../config/rules/borders.ts';
import { EXIT, HardshellError } from '../../platform/errors.ts';
import type { SandboxSpec } from '../driver.ts';
import { lockedOptions, mountsBelow } from './mount-table.ts';

/** `identity` is what `stat -c %d:%i` says of it. */
export type OpenBind = {
  readonly source: string;
  readonly identity: string;
  readonly target: string;
  readonly writable: boolean;
  /** options that a remount has to repeat */
  readonly locked: readonly string[];
};

/** Parts of the box itself. */
const TAKEN = /^\/((workspace|agent|proc|sys|dev|etc|usr|bin|sbin|lib\w*|tmp)(\/.*)?)?$/;

/** `proxyFolder`: where commands find the folder of the proxy's socket. */
export function openBinds({ binds = [], network, hidden }: SandboxSpec, proxyFolder: string): OpenBind[] {
  const opened = binds.map(({ source, target, access }) => {
    const real = realOf(source);
    const shown = hostParts(real, { home: homedir(), stateDirs: hidden.map(orSame), kept: null });
    if (shown !== null) throw refused(source, `would show ${shown} to commands`);
    if (!isAbsolute(target) || normalize(target) !== target || TAKEN.test(target))
      throw refused(source, `cannot be shown as ${target}`);
    return openOne(real, target, access === 'rw');
  });
  for (const { target } of opened) {
    const twin = opened.filter((one) => one.target === target || one.target.startsWith(`${target}/`));
    if (twin.length > 1) throw refused(target, 'is shown twice, or below another');
  }
  if (network === 'none') return opened;
  return [...opened, openOne(realOf(dirname(network.proxySocket)), proxyFolder, false)];
}

function openOne(source: string, target: string, writable: boolean): OpenBind {
  const found = lstatSync(source, { bigint: true });
  if (!found.isDirectory()) throw refused(source, 'is not a folder');
  if (!writable && mountsBelow([source]).length > 0)
    throw refused(source, 'has other disks below it, which would stay writable');
  return { source, identity: `${found.dev}:${found.ino}`, target, writable, locked: lockedOptions(source) };
}

function realOf(source: string): string {
  try {
    return realpathSync(source);
  } catch (error) {
    throw refused(source, 'does not exist', error);
  }
}

function orSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function refused(path: string, why: string, cause?: unknown): HardshellError {
  const message = `the folder ${path} ${why}`;
  const fix =
    'openclaw config get agents.defaults.sandbox.docker.binds   (and security.allowedPaths): take it out, or name another';
  return new HardshellError({ code: 'BAD_BIND', message, fix, exitCode: EXIT.config, cause });
}
