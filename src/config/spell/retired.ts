// Owns the keys that other versions have and this program has no use for: what is true here instead. A value that asks
// for less security than holds here is refused; a wish that cannot be met is said. Data only.

export type Retired = {
  /** `*` is one key, `a|b` one of several; what lies below is meant too */
  readonly key: string;
  /** values that mean what is true here anyway */
  readonly same?: readonly unknown[];
  /** dropping it, whatever it says, never makes anything looser */
  readonly harmless?: true;
  /** continues "… has no effect: " */
  readonly why: string;
};

const OFF = [false, 'off', null];

export const RETIRED: readonly Retired[] = [
  // Written by other programs for themselves.
  { key: 'meta|wizard', harmless: true, why: 'notes of another program' },
  {
    key: 'ui|telemetry|diagnostics|tts|talk|canvasHost|nodeHost|desktop|acp|worktreeRoot|worktreeAcceleration|transcripts|broadcast|surfaces|cloudWorkers',
    harmless: true,
    why: 'there is no such part here',
  },
  {
    key: 'plugins',
    harmless: true,
    why: 'no foreign code is loaded into the gateway; tools come from mcp.servers and skills',
  },
  { key: 'discovery', harmless: true, why: 'nothing is announced on the network' },
  { key: 'gateway.terminal.enabled', same: OFF, why: 'the gateway has no terminal' },
  {
    key: 'gateway.nodes|push|channelHealthCheckMinutes|customBindHost6|tools|webchat',
    harmless: true,
    why: 'there is no such part here',
  },
  { key: 'gateway.remote', harmless: true, why: 'a client names its gateway with --url and --token' },
  { key: 'gateway.http.endpoints.*.enabled', same: OFF, why: 'the OpenAI-compatible endpoints are not offered' },
  { key: 'gateway.http.securityHeaders', harmless: true, why: 'the headers are fixed' },
  { key: 'gateway.tls.enabled', same: OFF, why: 'TLS is done in front of it, by Tailscale or a proxy' },
  { key: 'gateway.allowRealIpFallback', same: OFF, why: 'X-Real-IP is never believed' },
  {
    key: 'gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback|allowInsecureAuth|dangerouslyDisableDeviceAuth',
    same: OFF,
    why: 'the page is always checked',
  },
  { key: 'gateway.controlUi.embedSandbox|root', harmless: true, why: 'nothing foreign is embedded' },
  { key: 'commands.bash|config|debug|mcp|plugins|restart', same: OFF, why: 'this chat command does not exist' },
  { key: 'commands.native|nativeSkills|text|useAccessGroups', harmless: true, why: 'chat commands are fixed' },
  {
    key: 'session.store|mainKey|scope|typingMode|agentToAgent',
    harmless: true,
    why: 'conversations lie in the database',
  },
  {
    key: 'session.maintenance.mode|maxEntries|maxDiskBytes|rotateBytes',
    harmless: true,
    why: 'only pruneAfter counts',
  },
  { key: 'agents.defaults.sandbox.docker.readOnlyRoot', same: [true], why: 'the root of the box is always read-only' },
  {
    key: 'agents.defaults.sandbox.docker.capDrop',
    same: [['ALL'], ['all']],
    why: 'the box has no capabilities at all',
  },
  {
    key: 'agents.defaults.sandbox.docker.user',
    same: ['1000:1000', '65534:65534', 'nobody', '1000', '65534'],
    why: 'commands run as a user without rights',
  },
  {
    key: 'agents.defaults.sandbox.docker.dangerouslyAllowReservedContainerTargets|dangerouslyAllowContainerNamespaceJoin',
    same: OFF,
    why: 'this is not offered',
  },
  {
    key: 'agents.defaults.sandbox.docker.tmpfs|workdir|containerPrefix',
    harmless: true,
    why: 'the box is laid out by the program',
  },
  {
    key: 'agents.defaults.sandbox.sessionToolsVisibility',
    same: ['spawned'],
    why: 'boxed conversations see only what they started',
  },
  { key: 'agents.defaults.sandbox.prune.maxAgeDays', harmless: true, why: 'only idleHours counts' },
  { key: 'agents.defaults.elevatedDefault', same: OFF, why: 'leaving the box is asked for each time' },
  {
    key: 'agents.defaults.compaction|contextPruning|thinkingDefault|verboseDefault|blockStreamingDefault|blockStreamingBreak|blockStreamingChunk|blockStreamingCoalesce|humanDelay|typingIntervalSeconds|typingMode|userTimezone|timeFormat|imageModel|pdfModel|models|subagents|bootstrapTotalMaxChars|skipBootstrap|envelopeTimezone|memorySearch|contextTokens|mediaMaxMb|cliBackends|repoRoot',
    harmless: true,
    why: 'this is not adjustable',
  },
  { key: 'agents.defaults.heartbeat.*', harmless: true, why: 'only every and target count' },
  { key: 'tools.exec.host', same: ['sandbox', 'auto'], why: 'commands run only in the box' },
  { key: 'tools.exec.applyPatch.workspaceOnly', same: [true], why: 'patches stay in the workspace' },
  {
    key: 'tools.exec.applyPatch|backgroundMs|notifyOnExit|notifyOnExitEmptySuccess|pathPrepend|cleanupMs',
    harmless: true,
    why: 'this is not adjustable',
  },
  { key: 'tools.agentToAgent.enabled', same: OFF, why: 'agents do not talk to each other' },
  { key: 'tools.agentToAgent.allow', harmless: true, why: 'agents do not talk to each other' },
  { key: 'tools.sessions.visibility', same: ['tree', 'agent', 'self'], why: 'a conversation sees only its own' },
  { key: 'tools.message.crossContext.*', same: OFF, why: 'writing elsewhere is always asked for' },
  { key: 'tools.message.broadcast.enabled', same: OFF, why: 'there is no broadcast' },
  { key: 'tools.links|media', harmless: true, why: 'links and media are not opened unasked' },
  { key: 'tools.loopDetection.*', harmless: true, why: 'the limits are fixed' },
  { key: 'channels.*.configWrites', same: OFF, why: 'a chat can never change the configuration' },
  {
    key: 'channels.*.dangerouslyAllowNameMatching',
    same: OFF,
    why: 'names can be changed, so they never let anybody in',
  },
  {
    key: 'channels.*.name|streaming|streamMode|chunkMode|textChunkLimit|replyToMode|historyLimit|dmHistoryLimit|dms|mediaMaxMb|ackReaction|linkPreview|reactionLevel|reactionNotifications|markdown|customCommands|commands|capabilities|retry|actions|execApprovals|heartbeat|responsePrefix|blockStreaming|blockStreamingCoalesce|draftChunk|timeoutSeconds|network|intents|defaultAccount|mode|debounceMs|sendReadReceipts|selfChatMode|messagePrefix|maxLinesPerMessage|userToken|slashCommand|thread|webhookHost|webhookPort|webhookPath',
    harmless: true,
    why: 'this is not adjustable',
  },
  { key: 'channels.*.groups.*.enabled', same: [true], why: 'a group that is not listed is not answered' },
  {
    key: 'channels.*.groups.*.tools|toolsBySender',
    why: 'rules for one group or sender stand in tools.policies, as "telegram:-100123" or "sender:telegram:42"',
  },
  { key: 'channels.*.groups.*.systemPrompt|ingest', harmless: true, why: 'this is not adjustable' },
  {
    key: 'cron.sessionRetention|webhookToken|store|maxConcurrentRuns|webhook',
    harmless: true,
    why: 'this is not adjustable',
  },
  { key: 'models.mode|bedrockDiscovery', harmless: true, why: 'providers are only what you write' },
  { key: 'env.shellEnv', harmless: true, why: 'no login shell is asked; set variables where the gateway starts' },
  {
    key: 'browser.evaluateEnabled|noSandbox|allowSystemProfileImport|attachOnly',
    same: OFF,
    why: 'this is not offered',
  },
  {
    key: 'browser.color|defaultProfile|profiles|executablePath|extensionRelay|remoteCdpTimeoutMs',
    harmless: true,
    why: 'it uses a profile of its own',
  },
  { key: 'approvals.exec', harmless: true, why: 'questions always go to you' },
  { key: 'update.auto|channel', harmless: true, why: 'nothing is installed by itself' },
  { key: 'memory.*', harmless: true, why: 'this is not adjustable' },
  { key: 'skills.install|load|limits', harmless: true, why: 'what is installed waits for your approval' },
];

/** Outside these, an unknown key could be a lost piece of security, and is refused. */
export const COSMETIC: readonly string[] = ['logging', 'messages', 'update', 'attachments', 'memory'];
