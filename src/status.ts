// Owns the status report: facts gathered from every part, and the list of repairs with the command that mends each. Part
// of the composition; it reads and never changes anything.
import type { Paths } from './config/paths.ts';
import type { Core } from './core.ts';
import type { StatusReport } from './gateway/backend.ts';
import type { LiveConfig } from './live-config.ts';
import type { Models } from './models/provider.ts';
import { readProof } from './ops/backup/proof.ts';
import { type Panic, panicLine } from './ops/panic/panic.ts';
import { LIFT } from './panicking.ts';
import { unvouchedLine } from './store/provenance/unvouched.ts';
import type { Opened } from './store/rescue/restore.ts';
import { dayOf } from './store/usage.ts';
import type { McpReport } from './tools/mcp/report.ts';

export type StatusPorts = {
  readonly version: string;
  readonly startedAtMs: number;
  readonly now: () => number;
  readonly paths: Paths;
  readonly core: Core;
  readonly models: Models;
  readonly live: Pick<LiveConfig, 'current' | 'repairs'>;
  /** null while the probe still runs */
  readonly sandbox: () => StatusReport['sandbox'] | null;
  readonly channels: () => StatusReport['channels'];
  readonly elevated: () => StatusReport['elevated'];
  readonly mcp: () => readonly McpReport[];
  readonly panic: () => Panic | null;
  readonly unvouched: () => readonly string[];
  /** what the last audit found */
  readonly audits: () => readonly { readonly what: string; readonly fix: string }[];
  readonly opened: Pick<Opened, 'told' | 'brokenKept'>;
};

export function createStatus(ports: StatusPorts): () => StatusReport {
  const { core, opened } = ports;
  return () => {
    const atMs = ports.now();
    const sandbox = ports.sandbox() ?? { driver: null, detail: 'being probed', fix: null };
    const offline = ports.models.primary.startsWith('offline/');
    const outbox = core.outbox.count();
    const repairs: { what: string; fix: string }[] = [...ports.live.repairs()];
    const panic = ports.panic();
    if (panic !== null) repairs.unshift({ what: panicLine(panic), fix: LIFT });
    if (sandbox.fix) repairs.push({ what: `exec is off: ${sandbox.detail}`, fix: sandbox.fix });
    if (offline)
      repairs.push({
        what: 'no model key: the offline model answers',
        fix: 'openclaw onboard, or: openclaw secrets set anthropic-key (openai-key for OpenAI)',
      });
    const messages = core.inbox.balance();
    // An outcome that the disk refused leaves its message accepted; only a start takes it up again.
    if (messages.queued > 0 && core.lanes.activeCount() === 0)
      repairs.push({
        what: `${messages.queued} accepted ${messages.queued === 1 ? 'message waits' : 'messages wait'} for the next start`,
        fix: `free space where ${ports.paths.stateDir} is (df -h) if it is full, then stop the gateway and start it again`,
      });
    if (outbox.unknown > 0)
      repairs.push({
        what: `${outbox.unknown} replies of unknown delivery`,
        fix: 'openclaw sessions list   (look whether they arrived)',
      });
    const waiting = core.access.pairing.pending().length;
    if (waiting > 0)
      repairs.push({
        what: `${waiting} ${waiting === 1 ? 'person or group waits' : 'people or groups wait'} for your yes or no`,
        fix: 'openclaw pairing list',
      });
    const mcp = ports.mcp().map(mcpLine);
    for (const { name, state, problem, waiting } of mcp) {
      if (state === 'down')
        repairs.push({ what: `the MCP server ${name} does not run: ${problem}`, fix: `openclaw mcp probe ${name}` });
      if (waiting > 0)
        repairs.push({
          what: `${waiting} ${waiting === 1 ? 'tool' : 'tools'} of the MCP server ${name} ${waiting === 1 ? 'waits' : 'wait'} for your yes`,
          fix: `openclaw mcp show ${name}`,
        });
    }
    const channels = ports.channels();
    for (const { id, account, state, problem } of channels) {
      if (problem === null || state === 'off' || (state === 'connected' && problem.family !== 'refused')) continue;
      const name = account === 'default' ? id : `${id} (${account})`;
      repairs.push({
        what: `${name} is not connected: ${problem.reason}`,
        fix: problem.fix || 'it is tried again by itself; openclaw channels status --probe',
      });
    }
    const unvouched = unvouchedLine(ports.unvouched());
    if (unvouched !== null) repairs.push(unvouched);
    const backups = readProof(ports.paths);
    const failed = backups.failed;
    if (failed !== null)
      repairs.push({ what: `the last backup failed: ${failed.reason}`, fix: failed.fix || 'openclaw backup run' });
    else if (
      ports.live.current().config.backup.schedule !== undefined &&
      isOld(backups.proven?.atMs ?? backups.triedAtMs, atMs)
    )
      repairs.push({ what: 'no backup was proven by a restore for 8 days', fix: 'openclaw backup run' });
    if (opened.told !== null) {
      const fix = opened.brokenKept
        ? `look at ${opened.brokenKept}*, then remove it`
        : 'look whether anything is missing';
      repairs.push({ what: `at the last start ${opened.told}`, fix });
    }
    repairs.push(...ports.audits());
    return {
      panic,
      version: ports.version,
      pid: process.pid,
      startedAtMs: ports.startedAtMs,
      uptimeMs: atMs - ports.startedAtMs,
      node: process.version,
      rootUser: process.getuid?.() === 0,
      rssBytes: process.memoryUsage.rss(),
      sessions: core.directory.count(),
      activeRuns: core.lanes.activeCount(),
      messages,
      outbox,
      model: {
        primary: ports.models.primary,
        fallbacks: ports.live.current().config.agents.defaults.model.fallbacks,
        offline,
      },
      sandbox,
      elevated: ports.elevated(),
      usage: { today: core.usage.since(dayOf(atMs)), total: core.usage.since('') },
      channels,
      mcp,
      backups,
      stateDir: ports.paths.stateDir,
      configPath: ports.paths.configPath,
      repairs,
    };
  };
}

const OLD_PROOF_MS = 8 * 24 * 60 * 60_000;
const isOld = (sinceMs: number | null, nowMs: number): boolean => sinceMs !== null && nowMs - sinceMs > OLD_PROOF_MS;

function mcpLine({ name, kind, state, problem, tools }: McpReport): StatusReport['mcp'][number] {
  const count = (...states: string[]): number => tools.filter((one) => states.includes(one.state)).length;
  const counts = { approved: count('approved'), waiting: count('new', 'changed'), leftOut: count('left out') };
  return { name, kind, state, problem, ...counts };
}
