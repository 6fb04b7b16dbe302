// Owns how a skill is shown to the owner: where it stands, what was found, what it needs, and under which hash. Every word
// of a skill is from outside and printed escaped.
import type { Shown } from '../../../skills/desk.ts';
import type { Finding } from '../../../skills/scan/rule.ts';
import type { Report } from '../../../skills/scan/scan.ts';
import { type Output, type Style, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatBytes } from '../../print/units.ts';

const STYLES: Readonly<Record<Shown['state'], Style>> = { approved: 'green', quarantined: 'yellow', changed: 'red' };
const WEIGHTS: Readonly<Record<Finding['severity'], Style>> = { CRITICAL: 'red', WARNING: 'yellow', INFO: 'dim' };
const MAX_FINDINGS = 40;

export function showList(out: Output, list: readonly Shown[]): void {
  if (list.length === 0) {
    out.note(span('dim', 'there are no skills; openclaw skills install ./folder takes one in'));
    return;
  }
  const rows = list.map(({ name, state, kind, hash, findings, declared, why }) => [
    name,
    state,
    kind,
    hash.slice(0, 12),
    counts(findings),
    state === 'approved' ? declared.description : why,
  ]);
  const columns = ['NAME', 'STATE', 'KIND', 'HASH', 'FOUND'].map((title) => ({ title }));
  for (const line of tableLines([...columns, { title: 'ABOUT', flexible: true }], rows, out.width)) out.line(line);
}

export const counts = (findings: readonly Finding[]): string =>
  (['CRITICAL', 'WARNING', 'INFO'] as const)
    .map((severity) => [findings.filter((one) => one.severity === severity).length, severity.toLowerCase()] as const)
    .flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]))
    .join(', ') || 'nothing';

export function showSkill(out: Output, shown: Shown): void {
  const { name, state, why, kind, source, hash, files, changes } = shown;
  out.line(span('bold', name), '  ', span(STYLES[state], state), why === '' ? '' : `: ${why}`);
  for (const one of changes) out.line(span('red', '  changed  '), `${one.path}: ${one.why}`);
  const from =
    source === null
      ? 'written in the workspace'
      : `${source.type} ${source.from}${source.commit ? `#${source.commit}` : ''}`;
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  out.line(`  says    ${shown.declared.description || '(nothing)'}`);
  out.line(`  from    ${from} (${kind})`);
  out.line(`  files   ${files.length}, ${formatBytes(bytes)}`);
  showReport(out, shown);
  out.line(`  hash    ${hash}`);
}

export function showReport(out: Output, { capabilities, findings }: Report): void {
  for (const [title, { declared, seen }] of Object.entries(capabilities)) {
    const more = seen.filter((one) => !declared.includes(one));
    if (declared.length > 0) out.line(`  ${title.padEnd(7)} says it needs ${declared.join(', ')}`);
    if (more.length > 0) out.line(`  ${title.padEnd(7)} seen in it: ${more.join(', ')}`);
  }
  out.line(`  found   ${counts(findings)}`);
  for (const { severity, file, line, why, excerpt, id } of findings.slice(0, MAX_FINDINGS)) {
    out.line(
      '  ',
      span(WEIGHTS[severity], severity.padEnd(8)),
      ` ${file}${line === 0 ? '' : `:${line}`}  ${why} (${id})`,
    );
    if (excerpt !== file) out.line(span('dim', `             ${excerpt}`));
  }
  if (findings.length > MAX_FINDINGS) out.line(`  and ${findings.length - MAX_FINDINGS} more; --json has them all`);
}
