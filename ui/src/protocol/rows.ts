// Owns the reading of rows: sessions, models, approvals, status. As in frames.ts, nothing is trusted to have a shape.
import { listOf, numberOf, objectOf, textOf } from './frames.ts';
import { readTokens, type Tokens } from './messages.ts';

export type SessionRow = {
  readonly key: string;
  readonly title: string;
  /** the name that the person gave it, or '' */
  readonly label: string;
  readonly preview: string;
  readonly channel: string;
  readonly agentId: string;
  readonly updatedAtMs: number;
  readonly model: string;
  readonly modelOverride: string | null;
  /** size of what the model was shown last */
  readonly contextTokens: number;
  readonly tokens: Tokens | null;
  readonly archived: boolean;
  readonly pinned: boolean;
  readonly activeRunIds: readonly string[];
  readonly sources: readonly string[];
};

export function readSessionRow(value: unknown): SessionRow | null {
  const row = objectOf(value);
  const key = textOf(row['key']);
  if (key === '') return null;
  return {
    key,
    title: textOf(row['title']) || textOf(row['derivedTitle']) || textOf(row['displayName']),
    label: textOf(row['label']),
    preview: textOf(row['lastMessagePreview']) || textOf(row['preview']),
    channel: textOf(row['channel']),
    agentId: textOf(row['agentId']),
    updatedAtMs: numberOf(row['updatedAt']) ?? numberOf(row['updatedAtMs']) ?? 0,
    model: textOf(row['model']),
    modelOverride: textOf(row['modelOverride']) || null,
    contextTokens: numberOf(row['contextTokens']) ?? 0,
    tokens: readTokens(row['tokens'] ?? row['usage']),
    archived: row['archived'] === true,
    pinned: row['pinned'] === true,
    activeRunIds: texts(row['activeRunIds']),
    sources: texts(row['sources']),
  };
}

export type SessionPage = { readonly rows: readonly SessionRow[]; readonly total: number };

export function readSessionPage(value: unknown): SessionPage {
  const page = objectOf(value);
  const rows = listOf(page['sessions']).flatMap((row) => readSessionRow(row) ?? []);
  return { rows, total: numberOf(page['totalCount']) ?? numberOf(page['count']) ?? rows.length };
}

export type ModelRow = {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly contextTokens: number;
  readonly available: boolean;
};

export function readModels(value: unknown): readonly ModelRow[] {
  return listOf(objectOf(value)['models']).flatMap((entry): ModelRow[] => {
    const model = objectOf(entry);
    const id = textOf(model['id']);
    const provider = textOf(model['provider']);
    if (id === '') return [];
    return [
      {
        // A session names its model with the provider in front; the list does not.
        id: provider === '' ? id : `${provider}/${id}`,
        name: textOf(model['name']) || id,
        provider,
        contextTokens: numberOf(model['contextTokens']) ?? numberOf(model['contextWindow']) ?? 0,
        available: model['available'] !== false,
      },
    ];
  });
}

export type ApprovalRow = {
  readonly id: string;
  /** what a chat or the terminal answers with */
  readonly code: string;
  readonly runId: string;
  readonly sessionKey: string;
  readonly tool: string;
  readonly reason: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  /** parts of the facts, spelled as there, that made it risky */
  readonly marks: readonly string[];
  readonly effects: readonly string[];
  readonly where: string;
  /** `telegram:42`, and `guest`, `dm`, `telegram` */
  readonly asker: { readonly id: string; readonly kind: string; readonly place: string; readonly channel: string };
  readonly sources: readonly string[];
  /** what "always" and "for this task" would cover, word for word; '' when that is not offered */
  readonly always: string;
  readonly task: string;
  /** calls of one answer stand on one card: which of how many */
  readonly line: number;
  readonly lines: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
};

export function readApproval(value: unknown): ApprovalRow | null {
  const row = objectOf(value);
  const asked = objectOf(row['request']);
  const id = textOf(row['id']);
  if (id === '') return null;
  const field = (name: string): string => textOf(row[name]) || textOf(asked[name]);
  const facts = listOf(row['facts'] ?? asked['facts']).map((entry) => {
    const fact = objectOf(entry);
    return { name: textOf(fact['name']), value: textOf(fact['value']) };
  });
  const command = field('command') || textOf(objectOf(row['presentation'])['commandText']);
  const asker = objectOf(row['asker']);
  const words = (name: string): string[] => listOf(row[name]).map(textOf);
  return {
    id,
    code: field('code'),
    runId: field('runId'),
    sessionKey: field('sessionKey') || textOf(row['sourceSessionKey']),
    tool: field('tool'),
    reason: field('reason') || textOf(objectOf(row['presentation'])['warningText']),
    facts: facts.length > 0 || command === '' ? facts : [{ name: 'command', value: command }],
    marks: words('marks'),
    effects: words('effects'),
    where: field('where'),
    asker: {
      ...{ id: textOf(asker['id']), kind: textOf(asker['kind']) },
      ...{ place: textOf(asker['place']), channel: textOf(asker['channel']) },
    },
    sources: words('sources'),
    always: textOf(objectOf(row['always'])['shown']),
    task: textOf(objectOf(row['task'])['shown']),
    line: numberOf(row['line']) ?? 1,
    lines: numberOf(row['lines']) ?? 1,
    createdAtMs: numberOf(row['createdAtMs']) ?? 0,
    expiresAtMs: numberOf(row['expiresAtMs']) ?? 0,
  };
}

export type StatusView = {
  readonly version: string;
  readonly model: string;
  readonly offline: boolean;
  /** everything was stopped by hand */
  readonly stopped: boolean;
  /** until when commands may ask to leave their box, and in whose chat */
  readonly elevated: readonly { readonly id: string; readonly untilMs: number }[];
  readonly repairs: readonly { readonly what: string; readonly fix: string }[];
};

export function readStatus(value: unknown): StatusView {
  const status = objectOf(value);
  const model = objectOf(status['model']);
  return {
    version: textOf(status['version']) || textOf(status['runtimeVersion']),
    model: textOf(model['primary']),
    offline: model['offline'] === true,
    stopped: status['panic'] !== null && status['panic'] !== undefined,
    elevated: listOf(status['elevated']).map((entry) => ({
      id: textOf(objectOf(entry)['id']),
      untilMs: numberOf(objectOf(entry)['untilMs']) ?? 0,
    })),
    repairs: listOf(status['repairs']).map((entry) => ({
      what: textOf(objectOf(entry)['what']),
      fix: textOf(objectOf(entry)['fix']),
    })),
  };
}

function texts(value: unknown): string[] {
  return listOf(value).filter((entry) => typeof entry === 'string');
}
