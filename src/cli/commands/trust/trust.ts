// Owns `openclaw trust`: the registry as people see and change it, and what an address book would add to it.
import { basename } from 'node:path';
import { EXIT, HardshellError, misused, unusable } from '../../../platform/errors.ts';
import { tryReadText } from '../../../platform/files.ts';
import { MAX_CONTACTS_BYTES, readContacts } from '../../../policy/trust/contacts.ts';
import { guessKind, requireEntry, TRUST_KINDS, type TrustKind } from '../../../policy/trust/entry.ts';
import type { Wanted } from '../../../policy/trust/registry.ts';
import { askOwner } from '../../chat/ask-owner.ts';
import type { Context } from '../../context.ts';
import { type Output, span } from '../../output.ts';
import { tableLines } from '../../print/table.ts';
import { formatCount, formatTime } from '../../print/units.ts';
import type { TargetFlags } from '../../target.ts';
import { withTrust } from './reach.ts';

const COLUMNS = [{ title: 'KIND' }, { title: 'VALUE' }, { title: 'NAME', flexible: true }, { title: 'ADDED' }, { title: 'FROM', flexible: true }] as const; // biome-ignore format: one row
const MAX_PRINTED = 50;

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const found = await withTrust(context, options, (desk) => desk.list());
  out.data(found);
  const rows = found.entries.map((one) => [one.kind, one.value, one.name, formatTime(one.addedAtMs), one.addedBy]);
  if (rows.length === 0)
    out.note(span('dim', 'nobody and nothing yet; what you name yourself in a message needs no entry'));
  else for (const line of tableLines(COLUMNS, rows, out.width)) out.line(line);
  if (found.candidates.length > 0)
    out.note(span('dim', `${found.candidates.length} people whom you let in are not in it: openclaw trust import-contacts --paired`)); // biome-ignore format: one line
}

export async function add(
  context: Context,
  options: TargetFlags & { readonly kind?: string; readonly name?: string },
  value: string,
): Promise<undefined> {
  const { out } = context;
  const entry = { ...requireEntry(kindOf(options.kind, value), value), name: options.name ?? '' };
  const { added } = await withTrust(context, options, (desk) => desk.add([entry], 'typed'));
  out.data({ entry, added: added.length === 1 });
  out.line(added.length === 1 ? span('green', 'added: ') : 'it was there already: ', `${entry.kind} ${entry.value}`);
}

export async function remove(context: Context, options: TargetFlags, value: string): Promise<number> {
  const { out } = context;
  const removed = await withTrust(context, options, (desk) => desk.remove(value));
  if (removed.length === 0)
    throw new HardshellError({
      code: 'TRUST_ENTRY_UNKNOWN',
      message: `${JSON.stringify(value.slice(0, 80))} is not in the registry`,
      fix: 'openclaw trust list',
    });
  out.data({ removed });
  for (const one of removed) out.line('removed: ', `${one.kind} ${one.value}`);
  return EXIT.ok;
}

type Import = TargetFlags & { readonly paired?: boolean; readonly dryRun?: boolean; readonly yes?: boolean };

export async function importContacts(context: Context, options: Import, files: readonly string[]): Promise<number> {
  const { out } = context;
  if (files.length === 0 && options.paired !== true) throw unusable('there is no file to read', 'openclaw trust import-contacts contacts.vcf, or --paired'); // biome-ignore format: one line
  const read = files.map((file) => {
    const text = tryReadText(file, MAX_CONTACTS_BYTES);
    if (text === null) throw unusable(`there is no file ${file}`, 'write its whole path');
    return readContacts(basename(file), text);
  });
  const skipped = read.reduce((sum, one) => sum + one.skipped, 0);
  const from = [...files.map((file) => basename(file)), ...(options.paired ? ['paired people'] : [])].join(', ');
  return withTrust(context, options, async (desk) => {
    const { entries, candidates } = await desk.list();
    const known = new Set(entries.map(({ kind, value }) => `${kind} ${value}`));
    const wanted = new Map<string, Wanted>();
    for (const one of [...read.flatMap(({ found }) => found), ...(options.paired ? candidates : [])]) {
      const key = `${one.kind} ${one.value}`;
      if (!known.has(key) && !wanted.has(key)) wanted.set(key, one);
    }
    const fresh = [...wanted.values()];
    const isDry = options.dryRun === true;
    if (isDry || !options.yes || fresh.length === 0) preview(out, fresh, skipped);
    if (isDry || fresh.length === 0) {
      out.data({ entries: fresh, skipped, added: 0 });
      return EXIT.ok;
    }
    if (!(await agreed(out, options.yes === true, fresh.length))) return EXIT.failure;
    const { added } = await desk.add(fresh, from.slice(0, 100));
    out.data({ entries: added, skipped, added: added.length });
    out.line(
      span('green', `${formatCount(added.length)} added`),
      skipped > 0 ? `, ${formatCount(skipped)} left out` : '',
    );
    return EXIT.ok;
  });
}

function preview(out: Output, fresh: readonly Wanted[], skipped: number): void {
  for (const { kind, value, name } of fresh.slice(0, MAX_PRINTED))
    out.line(`${kind}  ${value}`, span('dim', name && `  ${name}`));
  if (fresh.length > MAX_PRINTED)
    out.line(span('dim', `and ${formatCount(fresh.length - MAX_PRINTED)} more; --dry-run --json has all`));
  if (fresh.length === 0) out.note(span('dim', 'nothing new to add'));
  if (skipped > 0) out.note(span('dim', `${formatCount(skipped)} values are no address or number that can be told from every other`)); // biome-ignore format: one line
}

async function agreed(out: Output, isSaid: boolean, count: number): Promise<boolean> {
  if (isSaid) return true;
  if (out.streams.stdin.isTTY === true && !out.json) {
    const isAgreed = (await askOwner(out, `add these ${count}? Messages to them need no naming then`, new AbortController().signal)) === true; // biome-ignore format: one line
    if (!isAgreed) out.note('nothing was added');
    return isAgreed;
  }
  throw misused('NEEDS_YES', 'there is nobody to ask here, and nothing was added', 'look at it with --dry-run, then say --yes'); // biome-ignore format: one line
}

function kindOf(given: string | undefined, value: string): TrustKind {
  const kind = given === undefined ? guessKind(value) : TRUST_KINDS.find((one) => one === given);
  if (kind) return kind;
  const fix = `openclaw trust add --kind person ${/^[\w@.+:-]+$/.test(value) ? value : '…'}   (or chat, host, account)`;
  if (given !== undefined) throw unusable(`--kind ${given} is none of ${TRUST_KINDS.join(', ')}`, fix);
  throw unusable('whether that is a person, a chat, a host or an account cannot be seen from it', fix);
}
