// Owns `openclaw approvals`: the questions that wait for the owner, shown with the facts of the machine, the answers, and
// what was allowed for good. An id may be shortened, and a code typed, as long as it names one question only.
import { HardshellError } from '../../platform/errors.ts';
import { ANSWERS, type Approval, type ApprovalDecision, type Grant, nameOf } from '../../policy/approvals/approval.ts';
import type { Client } from '../client.ts';
import { listOf, readApproval, readGrant } from '../connect/wire.ts';
import { withClient } from '../connect/with-client.ts';
import type { Context } from '../context.ts';
import { span } from '../output.ts';
import { cardLines, cardsIn } from '../print/calls.ts';
import { escapeLine } from '../print/text.ts';
import { counted, formatDuration } from '../print/units.ts';
import type { TargetFlags } from '../target.ts';

const SCOPES = { scopes: ['operator.approvals'] } as const;
/** Any more are looked through one by one. */
const MAX_LISTED = 1_000;
const MAX_PRINTED = 50;

export async function list(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const pending = await withClient(context, options, SCOPES, fetchPending);
  out.data({ approvals: pending });
  if (pending.length === 0) out.note(span('dim', 'nothing waits for your approval'));
  const cards = cardsIn(pending);
  for (const card of cards.slice(0, MAX_PRINTED)) {
    for (const line of cardLines(card, Date.now())) out.line(line);
    const [first] = card;
    const name = first?.code || first?.id.slice(0, 8) || '';
    const more = first && first.lines > 1 ? `, or one of it: approve ${nameOf(first)}` : '';
    out.line(span('dim', `  openclaw approvals approve ${name}   or   deny ${name}${more}`));
  }
  if (cards.length > MAX_PRINTED) out.note(`${cards.length - MAX_PRINTED} more wait; --json lists them all`);
}

export async function show(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  const card = await withClient(context, options, SCOPES, (client) => find(client, id));
  out.data(card.length === 1 ? card[0] : { code: card[0]?.code, lines: card });
  for (const line of cardLines(card, Date.now())) out.line(line);
}

type Approve = TargetFlags & { readonly always?: boolean; readonly task?: boolean };
export const approve = (context: Context, options: Approve, id: string): Promise<undefined> =>
  resolve(context, options, id, options.always ? 'allow-always' : options.task ? 'allow-task' : 'allow-once');
export const deny = (context: Context, options: TargetFlags, id: string): Promise<undefined> =>
  resolve(context, options, id, 'deny');

async function resolve(
  context: Context,
  options: TargetFlags,
  id: string,
  decision: ApprovalDecision,
): Promise<undefined> {
  const { out } = context;
  await withClient(context, options, SCOPES, async (client) => {
    const card = await find(client, id);
    const [approval] = card;
    if (!approval) return;
    const scope = decision === 'allow-always' ? 'always' : decision === 'allow-task' ? 'task' : null;
    if (scope !== null) {
      if (card.length > 1) throw nameOne(card);
      const covered = approval[scope];
      if (!covered) throw onlyOnce(approval);
      out.note(`${scope === 'task' ? 'for this task' : scope}: ${escapeLine(covered.shown)}`);
    }
    const method = card.length > 1 ? 'exec.approval.resolveCard' : 'exec.approval.resolve';
    await client.request(method, { id: approval.id, decision });
    out.data({ id: approval.id, decision, ...(card.length > 1 ? { ids: card.map((one) => one.id) } : {}) });
    for (const one of card) out.line(`${ANSWERS[decision]}: `, escapeLine(one.tool), ` (${one.id})`);
  });
}

export async function grants(context: Context, options: TargetFlags): Promise<undefined> {
  const { out } = context;
  const given = await withClient(context, options, SCOPES, fetchGrants);
  out.data({ grants: given });
  if (given.length === 0) out.note(span('dim', 'nothing is allowed beyond once'));
  for (const one of given) {
    const isTask = one.kind.startsWith('task:');
    const left = formatDuration(Math.max(0, one.expiresAtMs - Date.now()));
    const ends = isTask ? 'ends with its run' : `ends in ${left}`;
    out.line(`${one.id.slice(0, 8)}  ${escapeLine(one.shown)}`);
    out.line(
      span(
        'dim',
        `  ${isTask ? 'for its task' : one.kind}, used ${counted(one.uses, 'time')}, ${ends}, given by ${escapeLine(one.createdBy)}`,
      ),
    );
  }
}

export async function revoke(context: Context, options: TargetFlags, id: string): Promise<undefined> {
  const { out } = context;
  await withClient(context, options, SCOPES, async (client) => {
    const grant = only(await fetchGrants(client), id, 'grant', 'openclaw approvals grants');
    await client.request('exec.approval.grants.revoke', { id: grant.id });
    out.data({ id: grant.id, revoked: true });
    out.line('it asks again from now on: ', escapeLine(grant.shown));
  });
}

const fetchPending = async (client: Client): Promise<Approval[]> =>
  listOf(await client.request('exec.approval.list', { limit: MAX_LISTED })).flatMap((one) => readApproval(one) ?? []);
const fetchGrants = async (client: Client): Promise<Grant[]> =>
  listOf(await client.request('exec.approval.grants.list', {})).flatMap((one) => readGrant(one) ?? []);

/** By code all that waits on its card; by code or whole id also one that is closed: the gateway then says who was first. */
async function find(client: Client, typed: string): Promise<Approval[]> {
  const pending = await fetchPending(client);
  const word = typed.toUpperCase();
  const named = pending.filter((one) => one.id === typed || one.code === word || nameOf(one) === word);
  if (named.length > 0) return named;
  if (pending.some(({ id }) => typed.length >= 4 && id.startsWith(typed)))
    return [only(pending, typed, 'approval', 'openclaw approvals list')];
  const closed = await client.request('exec.approval.get', { id: typed }).then(readApproval, () => null);
  return [closed ?? only(pending, typed, 'approval', 'openclaw approvals list')];
}

function only<T extends { readonly id: string }>(rows: readonly T[], id: string, what: string, fix: string): T {
  const matching = rows.filter((one) => one.id === id || (id.length >= 4 && one.id.startsWith(id)));
  const [first] = matching;
  if (first && matching.length === 1) return first;
  const isMany = matching.length > 1;
  throw new HardshellError({
    code: `${what.toUpperCase()}_${isMany ? 'AMBIGUOUS' : 'NOT_FOUND'}`,
    message: isMany
      ? `${matching.length} ${what}s begin with ${id}`
      : what === 'grant'
        ? `there is no grant ${id}`
        : `no approval ${id} waits: it is unknown, answered or expired`,
    fix,
  });
}

const nameOne = ([first]: readonly Approval[]): HardshellError =>
  new HardshellError({
    code: 'APPROVAL_AMBIGUOUS',
    message: 'several calls wait by that code, and each is another pattern',
    fix: `openclaw approvals approve ${first ? nameOf(first) : ''} --always`,
  });

const onlyOnce = ({ code, id }: Approval): HardshellError =>
  new HardshellError({
    code: 'APPROVAL_NOT_ALWAYS',
    message: 'this can only be allowed once',
    fix: `openclaw approvals approve ${code || id}`,
  });
