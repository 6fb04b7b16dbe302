// Owns what upstream's own clients send and what its gateway answers, reduced by hand from observed conversations to
// requests and top-level keys. `left` names the keys that this gateway leaves out on purpose, so that a key that gets
// lost by accident is a failing test.

export type Exchange = {
  readonly client: 'cli' | 'tui' | 'page';
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** 'list' and 'null' are whole answers */
  readonly keys: 'list' | 'null' | readonly string[];
  readonly left?: readonly string[];
};

const words = (text: string): string[] => text.split(' ');

export const SESSION = 'agent:main:wire';

/** In an order in which they can be sent to one gateway; each session exists by then. */
export const EXCHANGES: readonly Exchange[] = [
  {
    client: 'cli',
    method: 'health',
    keys: words(
      'agents channelLabels channelOrder channels configReload defaultAgentId durationMs eventLoop heartbeatSeconds modelRuntime ok plugins sessions ts',
    ),
    left: ['eventLoop'],
  },
  {
    client: 'cli',
    method: 'status',
    params: { includeChannelSummary: false },
    keys: words(
      'channelSummary degradedPlugins degradedSecretOwners eventLoop heartbeat hostDesktop modelRuntime pid processMemory queuedSystemEvents runtimeVersion sessions shutdownBudget taskAudit tasks workerPools',
    ),
    left: ['eventLoop', 'hostDesktop', 'shutdownBudget', 'workerPools'],
  },
  { client: 'cli', method: 'system-presence', keys: 'list' },
  { client: 'cli', method: 'last-heartbeat', params: {}, keys: 'null' },
  {
    client: 'cli',
    method: 'channels.status',
    params: { probe: false, timeoutMs: 59_268 },
    keys: words(
      'channelAccounts channelDefaultAccountId channelDetailLabels channelLabels channelMeta channelOrder channelSystemImages channels eventLoop statusIssues ts',
    ),
    left: ['eventLoop'],
  },
  {
    client: 'cli',
    method: 'logs.tail',
    params: { limit: 200, maxBytes: 250_000 },
    keys: words('cursor file lines reset size truncated'),
  },
  {
    client: 'cli',
    method: 'config.get',
    params: {},
    keys: words(
      'agentRosterIncludeOwned appliedConfigHash bindingsIncludeOwned config configRevisionHash exists hash includeProvenance includedPaths issues legacyIssues parsed path raw resolved runtimeConfig sourceConfig valid warnings',
    ),
    left: ['agentRosterIncludeOwned', 'appliedConfigHash', 'bindingsIncludeOwned', 'includeProvenance'],
  },
  { client: 'tui', method: 'sessions.subscribe', params: {}, keys: ['subscribed'] },
  {
    client: 'tui',
    method: 'agents.list',
    params: {},
    keys: words('agents defaultId mainKey ownership scope selectionRequired'),
  },
  {
    client: 'tui',
    method: 'chat.send',
    params: {
      sessionKey: SESSION,
      sessionId: '040c4d5a',
      message: 'hello tui',
      deliver: false,
      idempotencyKey: 'wire-1',
    },
    keys: ['runId', 'status'],
  },
  {
    client: 'tui',
    method: 'agent.wait',
    params: { runId: 'wire-1', timeoutMs: 5_000 },
    keys: words('endedAt runId status stopReason'),
  },
  {
    client: 'tui',
    method: 'chat.history',
    params: { sessionKey: SESSION, limit: 200 },
    keys: words(
      'defaults deltaCursor hasMore messages pendingInputs sessionId sessionInfo sessionKey thinkingLevel totalMessages',
    ),
    left: ['deltaCursor', 'thinkingLevel'],
  },
  {
    client: 'tui',
    method: 'sessions.list',
    params: { agentId: 'main', limit: 1 },
    keys: words('count defaults hasMore limitApplied nextOffset owners path sessions totalCount ts'),
    left: ['owners'],
  },
  {
    client: 'tui',
    method: 'chat.abort',
    params: { sessionKey: SESSION, preserveSideRuns: true },
    keys: words('aborted ok runIds'),
  },
  {
    client: 'page',
    method: 'sessions.list',
    params: {
      includeGlobal: true,
      includeUnknown: true,
      configuredAgentsOnly: true,
      limit: 200,
      includeDerivedTitles: true,
      includeLastMessage: true,
      ownerFirst: true,
      agentId: 'main',
    },
    keys: words('count defaults hasMore limitApplied nextOffset owners path sessions totalCount ts'),
    left: ['owners'],
  },
  {
    client: 'page',
    method: 'chat.send',
    params: {
      sessionKey: SESSION,
      message: 'hello ui',
      deliver: false,
      expectedLeafEntryId: null,
      idempotencyKey: 'wire-2',
    },
    keys: ['runId', 'serverTiming', 'status'],
    left: ['serverTiming'],
  },
  {
    client: 'page',
    method: 'chat.history',
    params: { sessionKey: SESSION, limit: 80, maxBytes: 262_144, inputRunIds: ['wire-2'] },
    keys: words(
      'defaults deltaCursor hasMore messages pendingInputs sessionId sessionInfo sessionKey thinkingLevel totalMessages',
    ),
    left: ['deltaCursor', 'thinkingLevel'],
  },
  {
    client: 'page',
    method: 'sessions.messages.subscribe',
    params: { key: SESSION, includeApprovals: true },
    keys: words('approvalReplay key subscribed'),
    left: ['approvalReplay'],
  },
  {
    client: 'page',
    method: 'models.list',
    params: { view: 'configured', preparedOnly: true, agentId: 'main' },
    keys: words('accountSelection defaultModels models'),
    left: ['accountSelection', 'defaultModels'],
  },
  { client: 'page', method: 'exec.approval.list', params: {}, keys: 'list' },
  {
    client: 'page',
    method: 'agent.identity.get',
    params: { agentId: 'main' },
    keys: words('agentId avatar name nameSource'),
  },
  { client: 'page', method: 'sessions.describe', params: { key: SESSION }, keys: ['session'] },
  {
    client: 'cli',
    method: 'sessions.patch',
    params: { key: SESSION, label: 'L1' },
    keys: words('entry key ok path resolved'),
  },
  { client: 'cli', method: 'sessions.reset', params: { key: SESSION }, keys: words('entry key ok resolved') },
  { client: 'cli', method: 'sessions.delete', params: { key: SESSION }, keys: words('archived deleted key ok') },
];

export const HELLO = {
  keys: words(
    'auth controlUiLinkReaders controlUiWidgetKinds features pluginSurfaceUrls policy protocol server snapshot type',
  ),
  left: words('controlUiLinkReaders controlUiWidgetKinds pluginSurfaceUrls'),
};

/** How each client introduces itself; the token and the proof are added by the test. */
export const CLIENTS = {
  cli: {
    client: {
      id: 'cli',
      version: '2026.9.6',
      platform: 'linux',
      deviceFamily: 'Linux',
      mode: 'cli',
      instanceId: 'c3202fc8',
    },
    caps: [],
    scopes: ['operator.admin', 'operator.approvals'],
  },
  tui: {
    client: {
      id: 'openclaw-tui',
      displayName: 'openclaw-tui',
      version: '2026.9.6',
      platform: 'linux',
      deviceFamily: 'Linux',
      mode: 'ui',
      instanceId: 'b1199f9b',
    },
    caps: ['agent-kind', 'plugin-approvals', 'task-suggestions', 'tool-events'],
    scopes: ['operator.admin', 'operator.read', 'operator.write', 'operator.approvals'],
  },
  page: {
    client: {
      id: 'openclaw-control-ui',
      version: '2026.9.6',
      buildId: '2026.9.6-release',
      platform: 'Linux x86_64',
      mode: 'webchat',
      instanceId: 'ab9bfffa',
      timeZone: 'UTC',
    },
    caps: ['agent-kind', 'approvals', 'task-suggestions', 'terminal-offset-seq', 'tool-events', 'inline-widgets'],
    scopes: [
      'operator.admin',
      'operator.read',
      'operator.write',
      'operator.approvals',
      'operator.questions',
      'operator.pairing',
    ],
    modelCatalog: { sessionKey: 'main' },
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
    locale: 'en-US',
  },
} as const;

/** Keys of the events of a turn. */
export const EVENT_KEYS: Readonly<Record<string, readonly string[]>> = {
  'agent lifecycle': words('agentId data runId seq sessionKey stream ts'),
  'agent assistant': words('agentId data runId seq sessionKey stream ts'),
  'chat delta': words('agentId deltaText message runId seq sessionKey state'),
  'chat final': words('agentId message runId seq sessionKey state stopReason'),
  'session.message': words('agentId message messageId messageSeq sessionKey'),
  'sessions.changed': words('agentId ancestorSessions session sessionKey ts'),
};
