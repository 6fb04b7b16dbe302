// Owns `openclaw sandbox probe`: a real box, real escape attempts, and what became of each. It fails when one got through.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { homedir } from 'node:os';
import { EXIT, misused } from '../../../platform/errors.ts';
import { newToken } from '../../../platform/ids.ts';
import { type Outcome, probeBox } from '../../../sandbox/probe/probe.ts';
import type { Context } from '../../context.ts';
import { span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { openLocal, withBox } from './local.ts';

const DRIVERS = ['auto', 'bubblewrap', 'unshare', 'docker', 'podman', 'seatbelt'];

export async function run({ out, env }: Context, options: { readonly driver?: string }): Promise<number> {
  const local = openLocal(env);
  if (options.driver !== undefined && !DRIVERS.includes(options.driver))
    throw misused('USAGE', `"${options.driver}" is no driver of boxes`, `one of ${DRIVERS.join(', ')}`);
  const { driver, outcomes } = await withBox(local, options.driver, async (sandbox, plan) => {
    const outside = await openOutside();
    try {
      const places = { stateDir: local.paths.stateDir, home: env['HOME'] || homedir(), pid: process.pid };
      return { driver: sandbox.driver, outcomes: await probeBox(sandbox, plan.limits, { ...outside, ...places }) };
    } finally {
      outside.close();
    }
  });
  const through = outcomes.filter(({ refused }) => !refused);
  out.data({ driver, refused: outcomes.length - through.length, through: through.length, outcomes });
  printOutcomes(out, outcomes);
  const summary = `${driver}: ${outcomes.length - through.length} of ${outcomes.length} attempts were refused`;
  if (through.length === 0) out.note(span('green', summary));
  else
    out.note(span('red', `${summary}; ${through.map(({ id }) => id).join(', ')} got through: do not use this driver`));
  return through.length === 0 ? EXIT.ok : EXIT.failure;
}

function printOutcomes(out: Context['out'], outcomes: readonly Outcome[]): void {
  const columns = [{ title: 'TRIED' }, { title: 'OUTCOME' }, { title: 'WHAT IT WAS TOLD', flexible: true }] as const;
  const rows = outcomes.map(({ what, refused, detail }) => [what, refused ? 'refused' : 'THROUGH', detail]);
  for (const line of tableLines(columns, rows, out.width)) out.line(line);
}

/** Something to reach: a port on the loopback and an abstract socket, both listening. */
async function openOutside() {
  const abstract = `hardshell-probe-${newToken(8)}`;
  const loopback = createServer().listen(0, '127.0.0.1');
  const servers = [loopback, createServer().listen({ path: `\0${abstract}` })];
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const { port } = loopback.address() as AddressInfo;
  return { port, abstract, close: () => servers.forEach((server) => void server.close()) };
}
