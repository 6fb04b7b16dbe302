// Owns what can be said about where secrets lie: in the open, too open, too old, twice, in forgotten copies. Findings are
// data, without any value in them; it looks only and mends nothing.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRedactor } from '../log/redact.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { tryReadText } from '../platform/files.ts';
import { sha256 } from '../platform/ids.ts';
import { envFileOf, parseEnvText } from './env-file.ts';
import { listSecrets, problemAt, problemOfFolder, tryReadSecret, tryReadSecretAt } from './files.ts';
import { TOKEN_VARIABLES } from './gateway-token.ts';
import { keyFilesOf, keyVariableOf, wellKnownProviders } from './provider-keys.ts';
import { placeholderIn } from './strength.ts';
import type { Vault } from './vault.ts';

export type SecretFinding = {
  readonly code:
    | 'secret-in-config'
    | 'token-in-config'
    | 'secret-in-env-file'
    | 'secret-placeholder'
    | 'secret-file'
    | 'secret-folder'
    | 'secret-old'
    | 'secret-twice'
    | 'secret-shadowed'
    | 'secret-copy'
    | 'vault-locked';
  readonly severity: 'critical' | 'warning' | 'info';
  /** the setting, variable or path */
  readonly where: string;
  readonly message: string;
  readonly fix: string;
};

/** A setting that the schema marks as secret, as it stands in the file: text, `${NAME}` or a reference. */
export type SecretSetting = { readonly path: string; readonly value: unknown };

export type SecretAuditInput = {
  readonly stateDir: string;
  readonly credentialsDir: string;
  readonly configPath: string;
  readonly settings: readonly SecretSetting[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly rotateAfterDays: number;
  readonly nowMs: number;
  readonly vault?: () => Vault;
};

/** A place with its value; the value never leaves this file. */
type Held = { readonly where: string; readonly value: string };

const DAY_MS = 24 * 60 * 60_000;
const MAX_COPY_BYTES = 1024 * 1024;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

export function auditSecrets(input: SecretAuditInput): SecretFinding[] {
  const { findings: inConfig, held: settings } = checkSettings(input.settings);
  const { findings: inFiles, held: files } = checkFiles(input);
  const { findings: inEnvFile, held: variables } = checkEnvFile(input.stateDir);
  const { findings: inVault, held: vaulted } = checkVault(input);
  const held = [...settings, ...files, ...variables, ...vaulted];
  return [
    ...inConfig,
    ...checkConfigText(input.configPath, settings),
    ...inFiles,
    ...inEnvFile,
    ...inVault,
    ...findTwice(held),
    ...findShadowed(input, files),
    ...findCopies(input.stateDir, held),
  ];
}

/** Text that is only a variable is no secret: `${NAME}`. */
export const isVariable = (value: string): boolean => /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(value.trim());

type Checked = { readonly findings: SecretFinding[]; readonly held: Held[] };

function checkSettings(settings: readonly SecretSetting[]): Checked {
  const plain = settings.flatMap(({ path, value }) =>
    typeof value === 'string' && value !== '' && !isVariable(value) ? [{ where: path, value }] : [],
  );
  const findings = plain.map(({ where, value }): SecretFinding => {
    const placeholder = placeholderIn(value);
    if (placeholder) return placeholderFinding(where, placeholder.why);
    const message = `${where} holds its secret in the open`;
    return { code: 'secret-in-config', severity: 'warning', where, message, fix: 'openclaw secrets migrate' };
  });
  return { findings, held: plain };
}

/** Tokens in settings that are not meant for any, by their looks. */
function checkConfigText(path: string, settings: readonly Held[]): SecretFinding[] {
  const text = tryOr(() => tryReadText(path, MAX_CONFIG_BYTES), null);
  if (text === null) return [];
  return createRedactor()
    .find(text)
    .filter(({ kind }) => kind !== 'named-value' && kind !== 'header')
    .map(({ start, end, kind }) => ({ start, kind, value: text.slice(start, end) }))
    .filter(({ value }) => !settings.some((one) => one.value.includes(value) || value.includes(one.value)))
    .map(({ start, kind }): SecretFinding => {
      const line = text.slice(0, start).split('\n').length;
      const message = `${path}:${line} holds what looks like a secret (${kind}), in a setting that is not meant for one`;
      const fix = 'move it to a secret setting, or: openclaw secrets set NAME';
      return { code: 'token-in-config', severity: 'warning', where: `${path}:${line}`, message, fix };
    });
}

function checkFiles({ credentialsDir, nowMs, rotateAfterDays }: SecretAuditInput): Checked {
  const folder = problemOfFolder(credentialsDir);
  const findings: SecretFinding[] = folder ? [refusal('secret-folder', credentialsDir, folder.error)] : [];
  // A check must not mend: reading a folder of a wrong mode would.
  if (folder) return { findings, held: [] };
  const held: Held[] = [];
  for (const { name, path, modifiedAtMs, problem } of listSecrets(credentialsDir)) {
    if (problem) {
      findings.push(refusal('secret-file', path, problem));
      continue;
    }
    if (name.endsWith('.previous')) continue;
    findings.push(...oldFinding(path, name, nowMs - modifiedAtMs, rotateAfterDays));
    const value = tryOr(() => tryReadSecret(credentialsDir, name), null)?.trim();
    if (!value) continue;
    const placeholder = placeholderIn(value);
    if (placeholder) findings.push(placeholderFinding(path, placeholder.why));
    held.push({ where: path, value });
  }
  return { findings, held };
}

function checkEnvFile(stateDir: string): Checked {
  const path = envFileOf(stateDir);
  const problem = problemAt(path);
  if (problem) return { findings: [refusal('secret-file', path, problem)], held: [] };
  const redactor = createRedactor();
  const held: Held[] = [];
  try {
    for (const { name, value } of parseEnvText(tryReadSecretAt(path, { maxBytes: MAX_COPY_BYTES }) ?? '', path)) {
      const named = /(TOKEN|KEY|SECRET|PASSWORD|PASSPHRASE|PASS|PWD|CREDENTIALS?)$/i.test(name);
      if (value !== '' && (named || redactor.find(value).length > 0)) held.push({ where: `${path}: ${name}`, value });
    }
  } catch (error) {
    return { findings: [refusal('secret-file', path, error)], held };
  }
  const findings = held.flatMap(({ where, value }) => {
    const placeholder = placeholderIn(value);
    return placeholder ? [placeholderFinding(where, placeholder.why)] : [];
  });
  if (held.length > 0) {
    const names = held.map(({ where }) => where.slice(path.length + 2)).join(', ');
    const message = `${path} holds ${held.length === 1 ? 'a secret' : `${held.length} secrets`} in the open: ${names}`;
    const fix = 'nothing, if you want it there; a file each in credentials/ or the vault keeps them apart';
    findings.push({ code: 'secret-in-env-file', severity: 'info', where: path, message, fix });
  }
  return { findings, held };
}

function checkVault({ vault, nowMs, rotateAfterDays }: SecretAuditInput): Checked {
  if (vault === undefined) return { findings: [], held: [] };
  try {
    const open = vault();
    const entries = open.list();
    const findings = entries.flatMap(({ name, rotatedAtMs }) =>
      oldFinding(`vault: ${name}`, name, nowMs - rotatedAtMs, rotateAfterDays),
    );
    return { findings, held: entries.map(({ name }) => ({ where: `vault: ${name}`, value: open.get(name) ?? '' })) };
  } catch (error) {
    return { findings: [refusal('vault-locked', 'vault', error)], held: [] };
  }
}

/** One value in two places is rotated in one and lives on in the other; and a thief of one has both. */
function findTwice(held: readonly Held[]): SecretFinding[] {
  const byValue = Map.groupBy(held, ({ value }) => sha256(value.trim()));
  return [...byValue.values()]
    .filter((same) => same.length > 1 && !placeholderIn(same[0]?.value ?? ''))
    .map((same): SecretFinding => {
      const where = same.map((one) => one.where).join(', ');
      const message = `one secret lies in ${same.length} places: ${where}`;
      return {
        code: 'secret-twice',
        severity: 'warning',
        where,
        message,
        fix: 'give each its own, or keep one of them',
      };
    });
}

/** Whoever changes the file and sees nothing happen should know why. */
function findShadowed({ credentialsDir, env }: SecretAuditInput, files: readonly Held[]): SecretFinding[] {
  const shadows = [
    ...TOKEN_VARIABLES.map((name) => ({ name, files: ['gateway-token'] as readonly string[] })),
    ...wellKnownProviders().map((id) => ({ name: keyVariableOf(id) ?? '', files: keyFilesOf(id) })),
  ];
  return shadows.flatMap(({ name, files: shadowed }) =>
    files
      .filter(
        ({ where, value }) =>
          shadowed.some((file) => where === join(credentialsDir, file)) && env[name] && env[name] !== value,
      )
      .map(({ where }): SecretFinding => {
        const message = `${where} counts for nothing, since ${name} is set to something else`;
        return { code: 'secret-shadowed', severity: 'info', where, message, fix: `unset ${name}, or remove the file` };
      }),
  );
}

const COPY = /(\.(bak|old|orig|save|backup|copy|swp|tmp|last-good|rej)(\.\d+)?|~|#)$|^(\.env\.|openclaw\.json\.)/i;

/** Editors and careful people leave copies; a rotated secret may still be good, and the new one may be in them too. */
function findCopies(stateDir: string, held: readonly Held[]): SecretFinding[] {
  const redactor = createRedactor();
  for (const { value } of held) redactor.add(value);
  return tryOr(() => readdirSync(stateDir), []).flatMap((name): SecretFinding[] => {
    if (!COPY.test(name)) return [];
    const path = join(stateDir, name);
    const text = tryOr(() => tryReadText(path, MAX_COPY_BYTES), null);
    if (text === null || redactor.find(text).length === 0) return [];
    const message = `${path} is a copy that holds secrets`;
    return [{ code: 'secret-copy', severity: 'warning', where: path, message, fix: `rm ${path}` }];
  });
}

function oldFinding(where: string, name: string, ageMs: number, rotateAfterDays: number): SecretFinding[] {
  const days = Math.floor(ageMs / DAY_MS);
  if (days < rotateAfterDays) return [];
  const message = `${where} is ${days} days old; ${rotateAfterDays} are the limit you set`;
  const fix = name === 'gateway-token' ? 'openclaw token rotate --grace 1h' : `openclaw secrets rotate ${name}`;
  return [{ code: 'secret-old', severity: 'warning', where, message, fix }];
}

const placeholderFinding = (where: string, why: string): SecretFinding => {
  const fix = 'put the real one there, or remove it';
  return { code: 'secret-placeholder', severity: 'critical', where, message: `${where} ${why}`, fix };
};

function refusal(code: SecretFinding['code'], where: string, error: unknown): SecretFinding {
  const fix = (error instanceof HardshellError && error.fix) || 'openclaw doctor';
  return { code, severity: code === 'vault-locked' ? 'warning' : 'critical', where, message: reasonOf(error), fix };
}

function tryOr<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}
