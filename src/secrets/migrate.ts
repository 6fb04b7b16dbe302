// Owns moving secrets out of the configuration into files or the vault: a plan first, without values, then the writes,
// then the edits for the configuration as data. It never edits a configuration, and never loses a value that it finds.
import { HardshellError } from '../platform/errors.ts';
import { isVariable, type SecretSetting } from './audit.ts';
import { tryReadSecret, writeSecret } from './files.ts';
import type { SettingRef } from './setting-refs.ts';
import { placeholderIn } from './strength.ts';
import type { Vault } from './vault.ts';

export type SecretStores = {
  readonly credentialsDir: string;
  /** when given, secrets go there */
  readonly vault?: Vault;
};

export type Move = {
  readonly path: string;
  readonly place: 'credentials' | 'vault';
  readonly name: string;
  readonly ref: SettingRef;
  /** `keep`: the same value is there already; `replace`: what is there is another one, and was not in force */
  readonly how: 'write' | 'keep' | 'replace';
};

export type MigrationPlan = {
  readonly moves: readonly Move[];
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
};

/** To be made in the configuration, in any order, once all of them are known. */
export type ConfigEdit = { readonly path: string; readonly value: SettingRef };

const GATEWAY_TOKEN = 'gateway.auth.token';

/** What would be moved where. Reads the stores, writes nothing, and holds no value. */
export function planMigration(settings: readonly SecretSetting[], stores: SecretStores): MigrationPlan {
  const moves: Move[] = [];
  const skipped: { path: string; why: string }[] = [];
  const taken = new Map<string, string>();
  for (const { path, value } of settings) {
    // A reference, or a variable, is where it should be.
    if (typeof value !== 'string' || value === '' || isVariable(value)) continue;
    const why = reasonToSkip(value);
    if (why !== null) skipped.push({ path, why });
    else moves.push(planned(path, value, stores, taken));
  }
  return { moves, skipped };
}

/** Writes, and reads back, every secret of the plan. Only then are the edits right: made before, a crash loses secrets. */
export function applyMigration(
  plan: MigrationPlan,
  settings: readonly SecretSetting[],
  stores: SecretStores,
): ConfigEdit[] {
  const values = new Map(settings.map(({ path, value }) => [path, value]));
  for (const { path, place, name, how } of plan.moves) {
    const value = values.get(path);
    if (typeof value !== 'string') throw changed(path);
    if (how !== 'keep') write(stores, place, name, value);
    if (read(stores, place, name) !== value) throw changed(path);
  }
  return plan.moves.map(({ path, ref }) => ({ path, value: ref }));
}

function planned(path: string, value: string, stores: SecretStores, taken: Map<string, string>): Move {
  // The command line needs the gateway's token, and should not have to open a vault for it.
  const place = stores.vault && path !== GATEWAY_TOKEN ? 'vault' : 'credentials';
  const wanted = nameFor(path);
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    const there = taken.get(name) ?? read(stores, place, name);
    const free = there === null || there === value;
    if (!free && path !== GATEWAY_TOKEN) continue;
    taken.set(name, value);
    const how = there === null ? 'write' : free ? 'keep' : 'replace';
    return { path, place, name, ref: { source: place === 'vault' ? 'vault' : 'file', id: name }, how };
  }
}

function reasonToSkip(value: string): string | null {
  const placeholder = placeholderIn(value);
  if (placeholder) return placeholder.why;
  return value.trim() === value ? null : 'begins or ends with a space or line feed';
}

/** As people would call it: `anthropic-key`, `telegram-bot-token`, `telegram-work-bot-token`, `gateway-token`. */
export function nameFor(path: string): string {
  const words = path
    .split('.')
    .filter((part, index, all) => index === all.length - 1 || !GROUPS.has(part))
    .map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase());
  const name = words.join('-').replace(/^(.+)-api-key$/, '$1-key');
  return (
    name
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 90) || 'secret'
  );
}

const GROUPS: ReadonlySet<string> = new Set([
  'channels',
  'models',
  'providers',
  'accounts',
  'auth',
  'tools',
  'entries',
]);

function write({ credentialsDir, vault }: SecretStores, place: Move['place'], name: string, value: string): void {
  if (place === 'vault') vault?.set(name, value);
  else writeSecret(credentialsDir, name, value);
}

const read = ({ credentialsDir, vault }: SecretStores, place: Move['place'], name: string): string | null =>
  place === 'vault' ? (vault?.get(name) ?? null) : tryReadSecret(credentialsDir, name);

function changed(path: string): HardshellError {
  const message = `${path} changed while its secret was moved; the configuration was left as it is`;
  return new HardshellError({ code: 'MIGRATION_STALE', message, fix: 'openclaw secrets migrate' });
}
