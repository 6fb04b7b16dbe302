// Owns which drivers are tried: those of the backend that is set, in a fixed order, each loaded when it is tried. A named
// one is used or nothing is; it must never fall back to another, or to running on the host.
import { errnoOf, HardshellError, reasonOf } from '../../platform/errors.ts';
import type { Sandbox, SandboxDriver, SandboxSpec } from '../driver.ts';

export type Refusal = { readonly driver: string; readonly reason: string; readonly fix: string };
export type Choice = { readonly sandbox: Sandbox } | { readonly sandbox: null; readonly refusals: readonly Refusal[] };
export type LoadDriver = () => Promise<SandboxDriver>;

type Env = Readonly<Record<string, string | undefined>>;

const LOAD: Readonly<Record<string, (env: Env) => Promise<SandboxDriver>>> = {
  bubblewrap: async () => (await import('../bubblewrap.ts')).bubblewrapDriver(),
  unshare: async () => (await import('../unshare.ts')).unshareDriver(),
  podman: async (env) => (await import('../docker.ts')).podmanDriver({ env: set(env) }),
  docker: async (env) => (await import('../docker.ts')).dockerDriver({ env: set(env) }),
  seatbelt: async () => (await import('../seatbelt.ts')).seatbeltDriver(),
};
/** What needs nothing but the kernel first; an engine only where neither works. */
const AUTO =
  process.platform === 'darwin' ? ['seatbelt', 'podman', 'docker'] : ['bubblewrap', 'unshare', 'podman', 'docker'];

export function driversFor(backend: string, env: Env): readonly LoadDriver[] {
  const names = backend === 'auto' ? AUTO : [backend];
  return names.map((name) => async () => (await LOAD[name]?.(env)) ?? absent(name));
}

const set = (env: Env): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Opening proves the walls by a real command, so a driver that opens needs no other probe. */
export async function openBestDriver(drivers: readonly LoadDriver[], spec: SandboxSpec): Promise<Choice> {
  const refusals: Refusal[] = [];
  for (const load of drivers) {
    const driver = await load();
    try {
      return { sandbox: await driver.open(spec) };
    } catch (error) {
      const fix = error instanceof HardshellError ? (error.fix ?? '') : '';
      refusals.push({ driver: driver.name, reason: reasonOf(error) || (errnoOf(error) ?? 'unknown'), fix });
    }
  }
  return { sandbox: null, refusals };
}

function absent(name: string): SandboxDriver {
  const fix = 'openclaw config set agents.defaults.sandbox.backend auto';
  const reason = `the backend ${name} is not in this version`;
  return {
    name,
    probe: async () => ({ ok: false, reason, fix }),
    open: async () => {
      throw new HardshellError({ code: 'SANDBOX_UNAVAILABLE', message: reason, fix });
    },
  };
}
