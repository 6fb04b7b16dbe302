// Owns `openclaw config validate`: reads as a start reads, and says all that it found. It needs no gateway and changes
// nothing; what passes here, starts.
import { errorsIn, type Finding, findingLine, mappingLine, refusal } from '../../../config/findings.ts';
import { inspectConfig } from '../../../config/inspect.ts';
import { EXIT, HardshellError } from '../../../platform/errors.ts';
import { findGatewayToken } from '../../../secrets/gateway-token.ts';
import { weaknessOf } from '../../../secrets/strength.ts';
import type { Context } from '../../context.ts';
import { type Style, span } from '../../output.ts';
import { type OpenConfig, openConfig } from './open.ts';

const STYLE: Readonly<Record<Finding['level'], Style>> = { error: 'red', warning: 'yellow', note: 'dim' };

export async function run({ out, env: processEnv }: Context, options: { strict?: boolean }): Promise<number> {
  const opened = await openConfig(processEnv);
  const { paths, env, resolve } = opened;
  const found = inspectConfig(paths, env, { ...resolve, rules: true, strict: options.strict === true });
  const { path, exists, mappings } = found;
  const { mode = 'token', token } = found.config?.gateway.auth ?? {};
  const [{ modelFindings }, { idleSettings }] = await Promise.all([
    import('../../../models/findings.ts'),
    import('../../../settings.ts'),
  ]);
  const fits = found.config !== null && errorsIn(found.findings).length === 0;
  const idle = found.config && fits ? idleSettings({ config: found.config, exists }, paths, env) : [];
  const findings = [
    ...found.findings,
    ...(mode === 'token' ? tokenFindings(opened, token, found.findings) : []),
    ...(fits ? modelFindings(found, paths) : []),
    ...idle.map(notInForce),
  ];
  const errors = errorsIn(findings);
  for (const mapping of mappings) out.line(span('dim', 'read: '), mappingLine(mapping));
  for (const finding of findings) out.line(span(STYLE[finding.level], findingLine(finding)));
  const facts = { path, exists, mappings, findings };
  if (errors.length > 0) {
    if (out.json) return out.fail(refusal(path, findings), facts);
    out.line(span('red', 'not usable'), `: ${path}, ${errors.length} error${errors.length > 1 ? 's' : ''}`);
    return EXIT.config;
  }
  out.data(facts);
  out.line(span('green', 'good'), `: ${exists ? path : `there is no ${path}, so the defaults hold`}`);
  return EXIT.ok;
}

/** A setting that does nothing must not look like one that protects. */
const notInForce = (key: string): Finding => ({
  level: 'warning',
  code: 'not-in-force',
  key,
  message: `${key} is read and checked, but not in force in this version`,
  fix: 'do not rely on it',
});

/** The start also judges a token that lies outside the configuration. */
function tokenFindings({ paths, env }: OpenConfig, configured: unknown, known: readonly Finding[]): Finding[] {
  const key = 'gateway.auth.token';
  if (known.some((one) => one.level === 'error' && one.key === key)) return [];
  const error = (code: string, message: string, fix: string): Finding[] => [
    { level: 'error', code, key, message, fix },
  ];
  try {
    const token = findGatewayToken(paths, env, typeof configured === 'string' ? configured : undefined);
    const weakness = token && weaknessOf(token.token);
    return weakness
      ? error('weak-token', `the gateway token from ${token.from} ${weakness.why}`, 'openclaw token rotate')
      : [];
  } catch (thrown) {
    if (!(thrown instanceof HardshellError)) throw thrown;
    return error('token', thrown.message, thrown.fix ?? 'openclaw token rotate');
  }
}
