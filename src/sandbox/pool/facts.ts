// Owns what can be said of a driver's limits: each with the means that keeps it, so that nobody takes a watch for a wall.
import type { Plan } from './plan.ts';

export type Limit = { readonly what: string; readonly value: string; readonly by: string };

const MB = 1024 ** 2;
const IN_CGROUP = ['docker', 'podman'];

export function limitsOf(plan: Plan, driver: string | null): Limit[] {
  const { limits, cpus } = plan;
  const inCgroup = IN_CGROUP.includes(driver ?? '');
  const memory = `${limits.memoryBytes / MB} MB`;
  const row = (what: string, value: string, own: string, engine = own): Limit => ({
    ...{ what, value },
    by: inCgroup ? engine : own,
  });
  return [
    row('time', `${limits.timeoutMs / 1000} s`, 'a clock outside; the whole tree is killed'),
    row('memory', memory, 'a data limit on each process, and a look at all of them every 80 ms', 'the cgroup'),
    row('swap', 'none extra', 'what is swapped out counts as memory', 'the cgroup'),
    row('processes', String(limits.maxProcesses), 'the limit of a user namespace of its own', 'the cgroup'),
    row('processors', String(cpus), 'tied to that many (taskset), lower priority after 20 ms', 'the cgroup'),
    row('open files', '1024 each', 'a limit on each process'),
    row('one file', `${limits.maxFileBytes / MB} MB`, 'a limit on each process'),
    row('/tmp, /dev/shm', '256 MB, 64 MB', 'tmpfs with a size'),
    row('disk', 'until it is nearly full', 'a look every 80 ms; no quota'),
  ];
}
