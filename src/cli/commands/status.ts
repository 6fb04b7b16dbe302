// Owns `openclaw status`: one request, one page for people. When the gateway is down it says so at once, with the facts
// that are on disk.
import { existsSync } from 'node:fs';
import type { StatusReport } from '../../gateway/backend.ts';
import { panicLine } from '../../ops/panic/panic.ts';
import { HardshellError } from '../../platform/errors.ts';
import type { TokenCount } from '../../store/usage.ts';
import { readReport } from '../connect/report.ts';
import type { Context } from '../context.ts';
import { type Output, span } from '../output.ts';
import { factLines } from '../print/table.ts';
import { counted, formatAgo, formatBytes, formatCount, formatDuration } from '../print/units.ts';
import { resolveTarget, type Target, type TargetFlags } from '../target.ts';

export async function run(context: Context, options: TargetFlags & { deep?: boolean }): Promise<number | undefined> {
  const { out } = context;
  const target = await resolveTarget(options, context.env);
  let report: StatusReport;
  try {
    report = await readReport(context, target);
  } catch (error) {
    return sayUnreachable(context, target, error);
  }
  const deep = options.deep ? await (await import('./status-deep.ts')).lookDeeper(context, options) : null;
  out.data(deep === null ? report : { ...report, deep });
  printReport(out, target, report);
  if (report.channels?.length > 0) {
    const { printReports } = await import('./channels/status.ts');
    out.line();
    printReports(out, report.channels, deep !== null);
  }
  if (deep !== null) {
    out.line();
    const now = Date.now();
    for (const line of factLines([
      ['round trip', `${formatDuration(deep.connectMs)} to connect, ${formatDuration(deep.requestMs)} a request`],
      ...deep.channels.map((channel): [string, string] => [
        `channel ${channel.id}`,
        `${counted(channel.sessions, 'session')}, last used ${formatAgo(channel.lastUsedAtMs, now)}${channel.people.length > 0 ? `, seen: ${channel.people.join(', ')}` : ''}`,
      ]),
    ])) {
      out.line(line);
    }
  }
  return undefined;
}

async function sayUnreachable({ out, env }: Context, target: Target, error: unknown): Promise<number> {
  const { stateDir, configPath } = target.paths;
  const configError = target.configError ?? (await problemOfConfig(target, env));
  const config = existsSync(configPath) ? configPath : `${configPath} (not there: defaults)`;
  for (const line of factLines([
    ['state', existsSync(stateDir) ? stateDir : `${stateDir} (not there: no gateway was started yet)`],
    ['config', configError?.message ?? config],
  ])) {
    out.line(line);
  }
  return out.fail(error, { stateDir, configPath, configError: configError?.message ?? null });
}

/** A gateway that is down may be down because of its configuration; then that is the thing to say. */
async function problemOfConfig(target: Target, env: Context['env']): Promise<HardshellError | null> {
  if (!target.local || !existsSync(target.paths.configPath)) return null;
  try {
    const [{ loadConfig }, { openConfig }] = await Promise.all([
      import('../../config/load.ts'),
      import('./config/open.ts'),
    ]);
    const opened = await openConfig(env);
    loadConfig(target.paths, opened.env, opened.resolve);
    return null;
  } catch (error) {
    if (error instanceof HardshellError) return error;
    throw error;
  }
}

function printReport(out: Output, target: Target, report: StatusReport): void {
  const { messages, outbox, model, sandbox, usage, elevated = [], mcp = [], backups } = report;
  out.line(
    span('bold', `Hardshell ${report.version}`),
    ` runs on ${target.httpUrl} for ${formatDuration(report.uptimeMs)} (process ${report.pid}, Node ${report.node.replace(/^v/, '')})`,
  );
  if (report.panic) out.line(span('red', panicLine(report.panic)), '; lift: openclaw panic --lift');
  out.line();
  const waiting = [
    [outbox.queued, 'queued'],
    [outbox.unknown, 'of unknown delivery'],
    [outbox.failed, 'failed'],
  ] as const;
  const facts: (readonly [string, string])[] = [
    [
      'messages',
      `${formatCount(messages.received)} received = ${formatCount(messages.answered)} answered + ${formatCount(messages.declined)} declined + ${formatCount(messages.queued)} queued + ${formatCount(messages.failed)} failed`,
    ],
    [
      'replies',
      [
        `${formatCount(outbox.sent)} sent`,
        ...waiting.filter(([n]) => n > 0).map(([n, what]) => `${formatCount(n)} ${what}`),
      ].join(', '),
    ],
    ['sessions', `${counted(report.sessions, 'session')}, ${counted(report.activeRuns, 'turn')} under way`],
    [
      'model',
      `${model.primary}${model.offline ? ' (offline: no key is set)' : ''}${model.fallbacks.length > 0 ? `, then ${model.fallbacks.join(', ')}` : ''}`,
    ],
    ['sandbox', sandbox.driver === null ? `off: ${sandbox.detail}` : `${sandbox.driver}: ${sandbox.detail}`],
    ...elevated.map(({ id, chat, untilMs }): [string, string] => [
      'outside the box',
      `${id} in ${chat} may ask for ${formatDuration(untilMs - Date.now())} more`,
    ]),
    ...mcp
      .filter(({ state }) => state !== 'off')
      .map(({ name, state, approved, waiting }): [string, string] => [
        `mcp ${name}`,
        `${state}, ${approved} tools approved${waiting > 0 ? `, ${waiting} wait for your yes` : ''}`,
      ]),
    ['tokens', `today ${tokens(usage.today)}; in all ${tokens(usage.total)}`],
    ...(backups?.made ? [['backup', backupLine(backups)] as const] : []),
    ['memory', formatBytes(report.rssBytes)],
    ['state', report.stateDir],
    ['config', report.configPath],
  ];
  for (const line of factLines(facts)) out.line(line);
  if (report.rootUser)
    out.line(span('yellow', 'It runs as root.'), ' Its tools run as nobody, but give it a user of its own.');
  if (report.repairs.length === 0) return;
  out.line();
  out.line(span('yellow', `${counted(report.repairs.length, 'thing')} to mend`));
  report.repairs.forEach((repair, index) => {
    out.line(`${index + 1}. ${repair.what}`);
    out.line(span('dim', `   fix: ${repair.fix}`));
  });
}

const backupLine = ({ made, proven }: StatusReport['backups']): string => {
  const now = Date.now();
  const last = made ? `the last ${formatAgo(made.atMs, now)}${made.encrypted ? '' : ', without secrets'}` : 'none';
  return `${last}; last proven restore ${proven ? formatAgo(proven.atMs, now) : 'never: openclaw backup run'}`;
};
const tokens = (t: TokenCount): string =>
  `${formatCount(t.input + t.cacheRead + t.cacheWrite)} in, ${formatCount(t.output)} out`;
