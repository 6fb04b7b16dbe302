// Owns the browser's process: which program, its own profile, a box around it where one can carry it, and the one way out
// of it. Nobody can reach it but through the pipe that it reads; it must never run without walls, nor in a person's profile.
import { lstatSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Env } from '../config/paths.ts';
import { addressRule, type BrowserRules, whyClosed } from '../net/browser/browser-url.ts';
import { openEgressProxy, type Seen } from '../net/egress/proxy.ts';
import type { Dangerously } from '../net/web/fetch-page.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { ensureFolder, removeFile } from '../platform/files.ts';
import { giveTree } from '../platform/ownership.ts';
import { run } from '../platform/process/process.ts';
import { bubblewrapDriver } from '../sandbox/bubblewrap.ts';
import type { Sandbox, SandboxLimits } from '../sandbox/driver.ts';
import { isExecutable } from '../sandbox/programs.ts';
import { PROXY_SOCKET } from '../sandbox/walls/layout.ts';
import { prepareWorkspace, workspaceOwner } from '../sandbox/workspace.ts';

export type ChromiumPorts = {
  readonly stateDir: string;
  readonly env: Env;
  rules(): BrowserRules;
  ownPorts(): readonly number[];
  seen(request: Seen): void;
  readonly dangerously?: Dangerously | undefined;
};
export type Chromium = {
  /** `bubblewrap`, or why there is no box around it */
  readonly walls: string;
  send(text: string): void;
  close(): Promise<void>;
};
export type ChromiumEvents = { received(chunk: Uint8Array): void; ended(why: string): void };

/** The programs themselves: what lies in /usr/bin is often a script that reads settings of the person. */
const PROGRAMS = [
  ...['chromium/chromium', 'chromium-browser/chromium-browser'].flatMap((name) => [
    `/usr/lib/${name}`,
    `/usr/lib64/${name}`,
  ]),
  ...['/opt/google/chrome/chrome', '/opt/chromium/chrome', '/usr/bin/chromium', '/usr/bin/chromium-browser'],
  ...['/usr/bin/google-chrome', '/snap/bin/chromium'],
  ...['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
];
const MEMORY_BYTES = 3 * 1024 ** 3;
/** What a page sends without an end is held in memory before anybody can look at it. */
const MAX_CONNECTION_BYTES = 200 * 1024 ** 2;
const LIMITS: SandboxLimits = {
  timeoutMs: 2 ** 31 - 1,
  memoryBytes: MEMORY_BYTES,
  maxProcesses: 1_500,
  maxOutputBytes: 4_096,
  killOutputBytes: Number.MAX_SAFE_INTEGER,
  maxFileBytes: 256 * 1024 ** 2,
};
const PROXY_IN_BOX = 'http://127.0.0.1:3128';
/** From its standard streams to the two descriptors that a browser reads orders from; nothing else reaches it. */
const BY_PIPE = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null';

export async function openChromium(ports: ChromiumPorts, events: ChromiumEvents): Promise<Chromium> {
  const program = PROGRAMS.find(isExecutable);
  if (program === undefined)
    throw refused('NO_BROWSER', 'no Chromium is installed', 'apt install chromium   (or install Google Chrome)');
  const profile = profileIn(ports.stateDir);
  const input = new PassThrough();
  const abort = new AbortController();
  const shared = { stdin: input, signal: abort.signal };
  const { walls, start, close } = await wallsFor(ports, program, profile);
  const ended = start({ ...shared, onOutput: (chunk, from) => from === 'stdout' && events.received(chunk) }).then(
    ({ stopped, exitCode }) => (abort.signal.aborted ? 'it was closed' : endOf(stopped, exitCode)),
    reasonOf,
  );
  void ended.then(events.ended);
  return {
    walls,
    send: (text) => void (input.writable && input.write(text)),
    async close() {
      input.end();
      abort.abort();
      await ended;
      await close();
    },
  };
}

const endOf = (stopped: string | undefined, exitCode: number | null): string =>
  stopped === 'memory'
    ? `it took more than ${MEMORY_BYTES / 1024 ** 3} GB of memory, or nearly all that the machine has`
    : stopped === 'disk'
      ? 'the disk is nearly full'
      : `Chromium ended (${stopped ?? exitCode ?? 'a signal'})`;

type Streams = {
  readonly stdin: PassThrough;
  readonly signal: AbortSignal;
  onOutput(chunk: Buffer, from: 'stdout' | 'stderr'): unknown;
};
type Walls = {
  readonly walls: string;
  start(streams: Streams): Promise<{ readonly stopped?: string; readonly exitCode: number | null }>;
  close(): Promise<void>;
};

async function wallsFor(ports: ChromiumPorts, program: string, profile: string): Promise<Walls> {
  if (!ports.rules().headless) return onHost(ports, program, profile, 'a window needs the screen, which no box has');
  if (process.platform !== 'linux') return onHost(ports, program, profile, 'no box carries a browser here');
  try {
    return await inBox(ports, program, profile);
  } catch (error) {
    return onHost(ports, program, profile, reasonOf(error));
  }
}

async function inBox(ports: ChromiumPorts, program: string, profile: string): Promise<Walls> {
  const folder = join(ports.stateDir, 'sandboxes', 'browser-way');
  ensureFolder(folder);
  const socketPath = join(folder, PROXY_SOCKET);
  removeFile(socketPath);
  const proxy = await openWay(ports, socketPath);
  const { owner } = workspaceOwner();
  if (owner) giveTree(folder, owner);
  const at = dirname(program);
  const close = async (sandbox?: Sandbox): Promise<void> => {
    await sandbox?.close();
    await proxy.close();
    removeFile(socketPath);
  };
  try {
    const sandbox = await bubblewrapDriver().open({
      ...{ workspace: profile, workspaceAccess: 'rw', fixedFiles: [], hidden: [ports.stateDir], ownWalls: true },
      ...{
        network: { proxySocket: socketPath },
        most: { memoryBytes: MEMORY_BYTES, maxProcesses: LIMITS.maxProcesses, cpus: 2 },
      },
      ...(at.startsWith('/opt/') ? { binds: [{ source: at, target: at, access: 'ro' as const }] } : {}),
    });
    const argv = ['/bin/sh', '-c', BY_PIPE, program, ...flags('/workspace', PROXY_IN_BOX, true)];
    return {
      walls: sandbox.driver,
      start: (streams) => sandbox.exec({ argv, cwd: '.', ...streams, limits: LIMITS, background: true }),
      close: () => close(sandbox),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Without a box its own walls stand, or it does not run: they are never switched off. */
async function onHost(ports: ChromiumPorts, program: string, profile: string, why: string): Promise<Walls> {
  if (process.getuid?.() === 0)
    throw refused(
      'BROWSER_NEEDS_WALLS',
      `the gateway runs as root, and there is no box for the browser: ${why}`,
      'give the gateway a user of its own, or: apt install bubblewrap',
    );
  const proxy = await openWay(ports, null);
  const { headless } = ports.rules();
  const screen = ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR'].flatMap((name) => {
    const value = ports.env[name];
    return headless || value === undefined ? [] : [[name, value] as const];
  });
  const env = { PATH: '/usr/bin:/bin', HOME: profile, LANG: 'C.UTF-8', ...Object.fromEntries(screen) };
  const argv = ['/bin/sh', '-c', BY_PIPE, program, ...flags(profile, `http://127.0.0.1:${proxy.port}`, headless)];
  const { timeoutMs, maxOutputBytes, killOutputBytes = 0 } = LIMITS;
  return {
    walls: `none but its own: ${why}`,
    start: ({ onOutput, ...streams }) =>
      run(argv, {
        ...{ cwd: profile, env, ...streams, timeoutMs, maxOutputBytes, killOutputBytes },
        onOutput: (chunk, from) => void onOutput(chunk, from),
      }),
    close: () => proxy.close(),
  };
}

/** The only way out of it: each name is looked up here, what it leads to is looked at, and that is dialled. */
function openWay({ rules, ownPorts, seen, dangerously }: ChromiumPorts, socketPath: string | null) {
  return openEgressProxy({
    socketPath,
    hosts: () => [],
    instead: {
      maxBytes: MAX_CONNECTION_BYTES,
      whyNot({ host, port }) {
        if (ERRANDS.test(host)) return ERRAND;
        const name = host.includes(':') ? `[${host}]` : host;
        const url = new URL(`${port === 443 ? 'https' : 'http'}://${name}:${port}`);
        return whyClosed(url, rules(), { ownPorts: ownPorts(), dangerously })?.why ?? null;
      },
      isAllowed: (address) => addressRule(rules(), dangerously)(address),
    },
    seen: (request) => request.refused?.endsWith(ERRAND) || seen(request),
    ...(dangerously?.resolve ? { dangerouslyResolve: dangerously.resolve } : {}),
  });
}

/** What a browser asks its maker for by itself, whatever it is told. */
const ERRANDS =
  /(^|\.)(clients\d*|update|android|dl)\.(google|googleapis)\.com$|^(optimizationguide-pa|safebrowsing|content-autofill|clientservices|passwordsleakcheck-pa)\.googleapis\.com$/;
const ERRAND = 'this is an errand of the browser itself';

/** A folder of its own below the state folder, never reached by a link, so that it can be nobody's own profile. */
function profileIn(stateDir: string): string {
  const profile = join(stateDir, 'browser');
  const found = lstatSync(profile, { throwIfNoEntry: false });
  if (
    found !== undefined &&
    (!found.isDirectory() || realpathSync(profile) !== join(realpathSync(stateDir), 'browser'))
  )
    throw refused(
      'NOT_OUR_PROFILE',
      `${profile} is no folder of its own, so it is not used as a profile`,
      `rm ${profile}`,
    );
  prepareWorkspace(profile);
  // Of one that was ended hard; the gateway's own lock says that no other is there.
  for (const name of ['SingletonLock', 'SingletonCookie', 'SingletonSocket'])
    removeFile(join(profile, 'profile', name));
  return profile;
}

const OFF = [
  ...['Translate', 'OptimizationHints', 'MediaRouter', 'DialMediaRouteProvider', 'AutofillServerCommunication'],
  ...[
    'InterestFeedContentSuggestions',
    'CertificateTransparencyComponentUpdater',
    'HttpsUpgrades',
    'GlobalMediaControls',
  ],
  ...['WebUSB', 'WebBluetooth', 'WebOTP', 'PrivacySandboxSettings4', 'AsyncDns'],
].join(',');

const flags = (folder: string, proxy: string, headless: boolean): string[] => [
  ...(headless ? ['--headless=new', '--disable-gpu', '--hide-scrollbars'] : []),
  ...['--remote-debugging-pipe', `--user-data-dir=${folder}/profile`, `--proxy-server=${proxy}`],
  // Also what is called localhost goes through the proxy, which refuses it.
  ...['--proxy-bypass-list=<-loopback>', '--disable-quic', '--webrtc-ip-handling-policy=disable_non_proxied_udp'],
  ...[
    '--force-webrtc-ip-handling-policy',
    `--disable-features=${OFF}`,
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  ],
  ...['--no-first-run', '--no-default-browser-check', '--no-service-autorun', '--disable-sync', '--disable-extensions'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-default-apps', '--disable-breakpad'],
  ...[
    '--disable-domain-reliability',
    '--disable-client-side-phishing-detection',
    '--disable-print-preview',
    '--no-pings',
  ],
  ...['--metrics-recording-only', '--password-store=basic', '--use-mock-keychain', '--deny-permission-prompts'],
  ...['--disable-notifications', '--mute-audio', '--disable-dev-shm-usage', '--disk-cache-size=50000000'],
  ...['--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-hang-monitor'],
  ...[
    '--disable-back-forward-cache',
    '--disable-session-crashed-bubble',
    '--hide-crash-restore-bubble',
    '--window-size=1280,900',
    'about:blank',
  ],
];

const refused = (code: string, message: string, fix: string): HardshellError =>
  new HardshellError({ code, message, fix });
