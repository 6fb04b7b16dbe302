// Owns the probe of what runs inside: whether a process in a real box gets out. The box has a scratch folder in place of the
// workspace, and nothing of the state is touched.
import { homedir } from 'node:os';
import { openScratch } from '../../../platform/files.ts';
import { DEFAULT_LIMITS } from '../../../sandbox/driver.ts';
import { driversFor, openBestDriver } from '../../../sandbox/pool/drivers.ts';
import { probeBox } from '../../../sandbox/probe/probe.ts';
import { prepareWorkspace } from '../../../sandbox/workspace.ts';
import type { Check, Facts, Outcome } from '../../check.ts';
import { amiss, andMore } from '../../looking.ts';

/** Of all the attempts those that are quick and matter most; the others are `openclaw sandbox probe`. */
const ATTEMPTS = ['tcp-out', 'interfaces', 'engine', 'state', 'keys', 'environment', 'accounts', 'processes', 'signal', 'write', 'namespaces', 'capabilities', 'devices'] as const; // biome-ignore format: a list of names
const ATTEMPT_MS = 2_000;

export const INSIDE_CHECKS: readonly Check[] = [
  {
    ...{ id: 'sandbox.escape', group: 'What it can do', depth: 'deep', rows: ['S160', 'S270'], probe: probeEscape },
    title: 'Does a process in the sandbox get out?',
    why: 'a command that gets out has your files, your keys and your network',
  },
];

async function probeEscape({ paths, settings, env, lock }: Facts): Promise<Outcome> {
  const scratch = openScratch();
  try {
    const workspace = scratch.makeFolder('workspace');
    prepareWorkspace(workspace);
    const choice = await openBestDriver(driversFor(settings?.agents.defaults.sandbox.backend ?? 'auto', env), {
      ...{ workspace, workspaceAccess: 'rw', fixedFiles: [], network: 'none' },
      hidden: [paths.stateDir, paths.configPath],
    });
    if (choice.sandbox === null) {
      const [first] = choice.refusals;
      return { skipped: `no box opens here, so no command runs in one: ${first?.reason ?? 'no driver'}` };
    }
    try {
      const outside = { abstract: '', port: lock?.port ?? 0, pid: lock?.pid ?? process.pid };
      const places = { stateDir: paths.stateDir, home: env['HOME'] || homedir() };
      const limits = { ...DEFAULT_LIMITS, timeoutMs: ATTEMPT_MS };
      // With a gateway there is a port that listens, and getting at it is what a command must not.
      const ids = [...ATTEMPTS, ...(outside.port > 0 ? ['tcp'] : [])];
      const outcomes = await probeBox(choice.sandbox, limits, { ...outside, ...places }, ids);
      const through = outcomes.filter(({ refused }) => !refused);
      const [first] = through;
      if (first === undefined)
        return {
          pass: `Sandbox: ${choice.sandbox.driver}, ${outcomes.length} tries to get out refused (openclaw sandbox probe tries all)`,
        };
      const evidence = `a command in the ${choice.sandbox.driver} box reaches ${first.what}: ${first.detail}`;
      const where = 'agents.defaults.sandbox.backend';
      return amiss('CRITICAL', andMore(evidence, through.length), 'openclaw sandbox probe', { where });
    } finally {
      await choice.sandbox.close();
    }
  } finally {
    scratch.remove();
  }
}
