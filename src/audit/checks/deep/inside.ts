// Owns the probes of what runs inside: whether a process in a real box gets out, and whether the code of side programs is
// what was shipped. The box has a scratch folder in place of the workspace, and nothing of the state is touched.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { codeFolderOf, isUntouched } from '../../../channels/whatsapp/install.ts';
import { look, openScratch } from '../../../platform/files.ts';
import { DEFAULT_LIMITS } from '../../../sandbox/driver.ts';
import { driversFor, openBestDriver } from '../../../sandbox/pool/drivers.ts';
import { probeBox } from '../../../sandbox/probe/probe.ts';
import { prepareWorkspace } from '../../../sandbox/workspace.ts';
import { type Check, type Facts, type Outcome, outcomeOf } from '../../check.ts';
import { andMore, oneFinding, read } from '../../looking.ts';

/** Of all the attempts those that are quick and matter most; the others are `openclaw sandbox probe`. */
const ATTEMPTS = ['tcp-out', 'interfaces', 'engine', 'state', 'keys', 'environment', 'accounts', 'processes', 'signal', 'write', 'namespaces', 'capabilities', 'devices'] as const; // biome-ignore format: a list of names
const ATTEMPT_MS = 2_000;
const MAX_LOCK_BYTES = 8_000_000;

export const INSIDE_CHECKS: readonly Check[] = [
  {
    ...{ id: 'sandbox.escape', group: 'What it can do', depth: 'deep', rows: ['S160', 'S270'], probe: probeEscape },
    title: 'Does a process in the sandbox get out?',
    why: 'a command that gets out has your files, your keys and your network',
  },
  {
    ...{ id: 'supply.sidecar_changed', group: 'Supply chain', depth: 'deep', rows: ['S263'], probe: probeSidecar },
    title: 'Is the code of the side programs what was shipped and locked?',
    why: 'code that somebody put there runs with your account and reads your messages',
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
      return oneFinding({
        severity: 'CRITICAL',
        evidence: andMore(
          `a command in the ${choice.sandbox.driver} box reaches ${first.what}: ${first.detail}`,
          through.length,
        ),
        fix: 'openclaw sandbox probe',
        where: 'agents.defaults.sandbox.backend',
      });
    } finally {
      await choice.sandbox.close();
    }
  } finally {
    scratch.remove();
  }
}

function probeSidecar({ paths }: Facts): Outcome {
  const folder = codeFolderOf(paths.stateDir);
  if (look(folder) === null) return { skipped: 'no side program is installed' };
  const fix = `rm -r ${folder} && openclaw channels login whatsapp`;
  if (!isUntouched(folder))
    return oneFinding({
      severity: 'CRITICAL',
      evidence: `the files in ${folder} are not the ones that are shipped`,
      fix,
      where: folder,
    });
  const [wanted, there] = [join(folder, 'package-lock.json'), join(folder, 'node_modules', '.package-lock.json')].map(
    packagesIn,
  );
  if (!wanted || !there) return { skipped: `the packages in ${folder} do not say what they are` };
  const wrong = [...there].filter(([name, hash]) => wanted.get(name) !== hash).map(([name]) => name);
  return outcomeOf(
    wrong.length > 0
      ? [
          {
            severity: 'CRITICAL',
            evidence: andMore(`${wrong[0]} in ${folder} is not the one that is locked`, wrong.length),
            fix,
            where: folder,
          },
        ]
      : [],
    `Side program: as it was shipped, ${there.size} packages as they are locked`,
  );
}

function packagesIn(path: string): ReadonlyMap<string, string> | null {
  try {
    const { packages = {} } = JSON.parse(read(path, MAX_LOCK_BYTES).text ?? '') as {
      packages?: Record<string, { integrity?: string }>;
    };
    return new Map(
      Object.entries(packages).flatMap(([name, { integrity = '' }]) =>
        name === '' ? [] : [[name, integrity] as const],
      ),
    );
  } catch {
    return null;
  }
}
