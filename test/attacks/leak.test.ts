// Secrets of every kind, pushed through everything below the gateway that writes or says something: no spelling of any of
// them, not even half of one, may come out. The same with a whole gateway is leak-gateway.test.ts.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLog } from '../../src/log/log.ts';
import { createRedactor, type Redactor, redactValue } from '../../src/log/redact.ts';
import { createStreamRedactor } from '../../src/log/stream-redactor.ts';
import { HardshellError } from '../../src/platform/errors.ts';
import { auditSecrets } from '../../src/secrets/audit.ts';
import { loadEnvFile, parseEnvText } from '../../src/secrets/env-file.ts';
import { tryReadSecret, writeSecret } from '../../src/secrets/files.ts';
import { ensureGatewayToken, readGatewayToken, rotateGatewayToken } from '../../src/secrets/gateway-token.ts';
import { planMigration } from '../../src/secrets/migrate.ts';
import { findProviderKey } from '../../src/secrets/provider-keys.ts';
import { resolveSecret, type SecretRef } from '../../src/secrets/reference.ts';
import { toSecretRef } from '../../src/secrets/setting-refs.ts';
import { createVault, openVault } from '../../src/secrets/vault.ts';
import { leakSearch } from '../support/leaks.ts';
import { allSamples, tokenSamples } from '../support/secret-samples.ts';

const SAMPLES = allSamples();
const leaksIn = leakSearch(SAMPLES);

let folder = '';
let redactor: Redactor;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hardshell-leak-'));
  redactor = createRedactor();
  for (const { value } of SAMPLES) redactor.add(value);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('there are 60 secrets and more, and the scan would see each of them', () => {
  expect(new Set(SAMPLES.map((one) => one.kind)).size).toBeGreaterThanOrEqual(60);
  for (const { kind, value } of SAMPLES) expect(leaksIn(`x ${value} y`).join(), kind).toContain(kind);
});

test('K01 K05 the log: every level, every kind of field, errors, names, encodings; the file and the echo are clean', () => {
  const echoed: string[] = [];
  const log = openLog({ folder, level: 'debug', maxFileBytes: 1e9, redactor, echo: (line) => echoed.push(line) });
  for (const { value } of SAMPLES) {
    log.debug(`starting with ${value}`);
    log.info(value, { [value]: value, list: [value, { deep: `\n${value}\n` }], json: JSON.stringify({ a: value }) });
    log.warn('request failed', {
      url: `https://x.example/?key=${encodeURIComponent(value)}#${encodeURIComponent(value)}`,
      headers: { authorization: `Bearer ${value}`, 'x-odd': Buffer.from(`user:${value}`).toString('base64') },
      argv: ['--token', value],
    });
    const cause = new Error(`inner ${value}`);
    log.error('threw', { error: new Error(`outer ${value}`, { cause }), hex: Buffer.from(value).toString('hex') });
    log.error(inspect({ value, error: cause }));
  }
  log.close();
  const lines = readFileSync(log.file, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(SAMPLES.length * 5);
  for (const line of [...lines, ...echoed]) {
    expect(leaksIn(line)).toEqual([]);
    expect(() => JSON.parse(line)).not.toThrow();
  }
});

test('tokens known by their looks alone are as clean in the log, before anybody registers them', () => {
  const log = openLog({ folder, level: 'debug', maxFileBytes: 1e9, redactor: createRedactor() });
  for (const { value } of tokenSamples())
    log.error(`failed for ${value}`, { nested: { text: `a\n${value}`, list: [value] } });
  log.close();
  const text = readFileSync(log.file, 'utf8');
  for (const { kind, value } of tokenSamples()) {
    const secretPart = value.split('\n').find((line) => !line.startsWith('-----')) ?? value;
    expect(text.includes(secretPart.slice(-16)), kind).toBe(false);
  }
});

test('K02 values for events, transcripts and the journal; and text that streams in pieces of any size', () => {
  for (const { value } of SAMPLES) {
    const event = { type: 'message', text: `it is ${value}`, parts: [{ [value]: 1 }], error: new Error(value) };
    expect(leaksIn(JSON.stringify(redactValue(redactor, event)))).toEqual([]);
    for (const size of [1, 3, 16]) {
      const stream = createStreamRedactor(redactor);
      const text = `The answer is ${value}. Then more.`;
      let out = '';
      for (let at = 0; at < text.length; at += size) out += stream.push(text.slice(at, at + size));
      expect(leaksIn(out + stream.end())).toEqual([]);
    }
  }
});

describe('errors of the secrets room', () => {
  /** All that a person, a log or a debugger could see of it. */
  const seen = (error: unknown): string => {
    expect(error).toBeInstanceOf(HardshellError);
    const { code, message, fix, stack } = error as HardshellError;
    expect(message).not.toContain('\n');
    return [code, message, fix, stack, inspect(error, { depth: 10, showHidden: true }), String(error)].join('\n');
  };
  const refusal = async (act: () => unknown): Promise<string> => {
    try {
      await act();
    } catch (error) {
      return seen(error);
    }
    throw new Error('nothing was refused');
  };
  const credentialsDir = () => join(folder, 'credentials');
  const plant = (value: string, mode = 0o600): string => {
    mkdirSync(credentialsDir(), { recursive: true, mode: 0o700 });
    const path = join(credentialsDir(), 'planted');
    rmSync(path, { force: true });
    writeFileSync(path, value);
    chmodSync(path, mode);
    return path;
  };

  test.each(SAMPLES)('none repeats a secret: $kind', async ({ value }) => {
    const dir = credentialsDir();
    const where = { credentialsDir: dir };
    const refs: SecretRef[] = [
      { source: 'file', path: plant(value, 0o644) },
      { source: 'file', path: join(folder, 'json'), key: 'none' },
      { source: 'file', path: join(folder, 'broken'), key: 'none' },
      { source: 'exec', command: [join(folder, 'fails')] },
      { source: 'exec', command: [join(folder, 'fails'), value], passEnv: ['VALUE'], ask: 'x' },
    ];
    writeFileSync(join(folder, 'json'), JSON.stringify({ other: value }), { mode: 0o600 });
    writeFileSync(join(folder, 'broken'), `{"none": ${value}`, { mode: 0o600 });
    writeFileSync(join(folder, 'secret-text'), value, { mode: 0o600 });
    writeFileSync(
      join(folder, 'fails'),
      `#!/bin/sh\ncat ${folder}/secret-text; cat ${folder}/secret-text >&2; exit 1\n`,
      {
        mode: 0o700,
      },
    );
    const context = { env: { VALUE: value }, stateDir: folder };
    const texts = await Promise.all(refs.map((ref) => refusal(() => resolveSecret(ref, 'a.setting', context))));
    texts.push(await refusal(() => tryReadSecret(dir, 'planted')));
    plant(`${value}\0`);
    texts.push(await refusal(() => tryReadSecret(dir, 'planted')));
    texts.push(await refusal(() => writeSecret(dir, 'x', `${value}\0`)));
    texts.push(await refusal(() => readGatewayToken(where, { OPENCLAW_GATEWAY_TOKEN: `${value} \n` })));
    texts.push(await refusal(() => ensureGatewayToken(where, {}, `${value} `)));
    texts.push(await refusal(() => ensureGatewayToken(where, {}, `<${value.replaceAll(/\s/g, '')}>`.slice(0, 900))));
    texts.push(await refusal(() => rotateGatewayToken(where, { OPENCLAW_GATEWAY_TOKEN: value }, { nowMs: 1 })));
    texts.push(await refusal(() => findProviderKey('anthropic', `<${value}>`.replaceAll('\n', ''), dir, {})));
    texts.push(await refusal(() => parseEnvText(`A=1\n${value.replaceAll('=', '')}\nB="${value}`, '.env')));
    texts.push(await refusal(() => toSecretRef({ source: 'exec', id: 'x' }, { p: { command: value } })));
    const key = { kind: 'passphrase', passphrase: `${value} ${value} with more words` } as const;
    texts.push(await refusal(() => openVault({ path: join(folder, 'none'), key, now: Date.now })));
    writeFileSync(join(folder, 'vault'), `{"format":"hardshell-vault","x":${JSON.stringify(value)}}\n`, {
      mode: 0o600,
    });
    texts.push(await refusal(() => openVault({ path: join(folder, 'vault'), key, now: Date.now })));
    for (const text of texts) expect(leaksIn(text)).toEqual([]);
  });

  test('nor does what is found about them, nor what is planned with them', () => {
    const settings = SAMPLES.map(({ kind, value }) => ({ path: `channels.${kind.replaceAll(' ', '-')}.token`, value }));
    writeFileSync(join(folder, 'openclaw.json'), JSON.stringify({ note: SAMPLES.map((one) => one.value) }, null, 2));
    writeFileSync(join(folder, 'openclaw.json.bak'), SAMPLES.map((one) => one.value).join('\n'));
    for (const [index, { value }] of SAMPLES.entries()) writeSecret(credentialsDir(), `s${index}`, value);
    const findings = auditSecrets({
      stateDir: folder,
      credentialsDir: credentialsDir(),
      configPath: join(folder, 'openclaw.json'),
      settings,
      env: { ANTHROPIC_API_KEY: SAMPLES[0]?.value },
      rotateAfterDays: 1,
      nowMs: Date.now() + 5 * 86_400_000,
    });
    expect(findings.length).toBeGreaterThan(SAMPLES.length * 2);
    expect(leaksIn(JSON.stringify(findings))).toEqual([]);
    const plan = planMigration(settings, { credentialsDir: credentialsDir() });
    expect(plan.moves.length).toBeGreaterThan(SAMPLES.length - 5);
    expect(leaksIn(JSON.stringify(plan))).toEqual([]);
  });
});

test('warnings about a .env name the variables only', () => {
  const lines = SAMPLES.flatMap(({ value }, index) => [
    `NODE_OPTIONS='${value}'`,
    `V${index}='${value}'`,
    `V${index}='x'`,
  ]);
  const text = lines.filter((line) => line.split("'").length === 3).join('\n');
  writeFileSync(join(folder, '.env'), text, { mode: 0o600 });
  const { warnings } = loadEnvFile(folder, { V0: 'other' });
  expect(warnings.length).toBeGreaterThan(100);
  expect(leaksIn(warnings.join('\n'))).toEqual([]);
});

test('the state folder, its vault and credentials aside, holds nothing after all of it was used', () => {
  const key = { kind: 'file', path: join(folder, 'vault.key') } as const;
  const vault = createVault({ path: join(folder, 'vault'), key, now: Date.now });
  const log = openLog({ folder: join(folder, 'logs'), level: 'debug', maxFileBytes: 1e9, redactor });
  const credentialsDir = join(folder, 'credentials');
  for (const [index, { value }] of SAMPLES.slice(0, 20).entries()) {
    vault.set(`s${index}`, value);
    writeSecret(credentialsDir, `s${index}`, value);
    log.info('kept', { value });
  }
  log.close();
  symlinkSync('vault', join(folder, 'link'));
  const scan = (at: string): void => {
    for (const name of readdirSync(at)) {
      const path = join(at, name);
      if (path === credentialsDir) continue;
      if (statSync(path).isDirectory()) scan(path);
      else expect(leaksIn(readFileSync(path, 'utf8')), path).toEqual([]);
    }
  };
  scan(folder);
});
