// Owns the settings of the assistant itself: its workspace, its model, its limits, and the box that its commands run in.
import { choice, flag, group, maybeChoice, maybeText, maybeTexts, named, textOr, texts, whole } from './leaf.ts';

const SANDBOX_MODES = ['all', 'non-main', 'off'] as const;
const SCOPES = ['session', 'agent', 'shared'] as const;
const WORKSPACE_ACCESS = ['none', 'ro', 'rw'] as const;
const EVERY = /^(off|\d{1,4}(m|h|d))$/;

const sandbox = () =>
  group('The box that commands run in', {
    mode: choice(
      'Which conversations run commands in a box: all, all but your main one, or none. Outside a box, commands are denied unless you open that',
      'all',
      SANDBOX_MODES,
    ),
    scope: choice(
      'One box for each agent, for each conversation, or one for all. A conversation with others has its own unless all are shared',
      'agent',
      SCOPES,
    ),
    backend: choice(
      'What builds the box; auto takes the first that works here, a named one is used or nothing is',
      'auto',
      ['auto', 'bubblewrap', 'unshare', 'podman', 'docker', 'seatbelt'],
    ),
    workspaceAccess: maybeChoice(
      'What a box has of your workspace; none is a private folder instead. Otherwise rw for you alone, none where others take part',
      WORKSPACE_ACCESS,
    ),
    allowedHosts: texts('With network allowlist: hosts that commands reach by HTTP and HTTPS, such as *.example.net'),
    docker: group("The box itself; the names are Docker's, the meaning holds for every backend", {
      image: textOr('Container image', 'openclaw-sandbox:bookworm-slim'),
      network: choice('none, or allowlist: the hosts of allowedHosts, through a filter; never a bridge', 'none', [
        'none',
        'allowlist',
      ]),
      memory: textOr('Memory limit, such as 512m or 1g', '1g', /^\d{1,6}[mg]$/),
      cpus: whole('Processor limit', 1, { min: 1, max: 256 }),
      pidsLimit: whole('How many processes', 256, { min: 8, max: 10_000 }),
      binds: texts('Further folders, as /from:/to:ro'),
      dangerouslyAllowExternalBindSources: flag('Binds may lie outside the workspace and allowedPaths', false),
    }),
    prune: group('When an unused box is removed', {
      idleHours: whole('After how many hours without use', 24, { min: 1 }),
    }),
  });

export const agents = () =>
  group('The assistant', {
    defaults: group('What holds for every agent', {
      workspace: maybeText('Its folder; otherwise workspace/ in the state folder', { restart: true }),
      model: group('Which model answers', {
        primary: maybeText('As provider/model; otherwise the first provider with a key'),
        fallbacks: texts('Models to try in turn when it fails'),
      }),
      modelPolicy: group('Which models may be chosen', { allow: texts('As provider/model; none means any') }),
      timeoutSeconds: whole('Longest turn', 600, { min: 1, max: 86_400 }),
      maxOutputTokens: whole('Longest answer of the model, in tokens', 8_192, { min: 256 }),
      maxConcurrent: whole('Turns at the same time', 8, { min: 1, max: 256 }),
      bootstrapMaxChars: whole('How much of each workspace file is shown to the model', 20_000, { min: 1_000 }),
      heartbeat: group('Look around without being asked; costs tokens', {
        every: textOr('off, or a time such as 30m', 'off', EVERY),
        target: maybeText('Where it reports, such as telegram:123456'),
      }),
      sandbox: sandbox(),
    }),
    entries: named('Further agents by name; what is left out is taken from defaults', {
      workspace: maybeText('Its folder'),
      model: maybeText('As provider/model'),
      tools: group('Its tools', {
        allow: maybeTexts('Only these'),
        deny: texts('Never these'),
      }),
      sandbox: group('Its box; only stricter than defaults', {
        mode: maybeChoice('As in defaults', SANDBOX_MODES),
        scope: maybeChoice('As in defaults', SCOPES),
        workspaceAccess: maybeChoice('As in defaults', WORKSPACE_ACCESS),
      }),
    }),
  });
