// Owns one MCP server: its connection, made when it is needed and again with growing pauses when it breaks, and the list of
// tools that it says it has. What a server says is only told on; whether anything of it may be used is decided in desk.ts.
import { createHash } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { openMcpHttp } from '../net/mcp/http.ts';
import { createPeer, type Message, type Peer, RpcFailed } from '../net/mcp/rpc.ts';
import { HardshellError, reasonOf } from '../platform/errors.ts';
import { canonicalJson } from '../platform/json.ts';
import type { Sandbox, SandboxLimits } from '../sandbox/driver.ts';
import { oneLine } from '../tools/mcp/schema.ts';
import { openStdio } from './stdio.ts';

export type ServerConfig = Config['mcp']['servers'][string];
export type OpenBox = (
  name: string,
  server: ServerConfig,
) => Promise<{ readonly sandbox: Sandbox; readonly limits: SandboxLimits }>;

export type ServerPorts = {
  readonly version: string;
  openBox: OpenBox;
  /** its list came, or came anew */
  listed(): void;
  ended(why: string): void;
};

/** A tool as the server tells of it. */
export type Told = { readonly tool: string; readonly hash: string; readonly definition: string };
export type Server = ReturnType<typeof createServer>;

type Link = { readonly peer: Peer; agreed(version: string): void; fail(why: string): void; close(): Promise<void> };

const VERSION = '2025-06-18';
const KNOWN_VERSIONS = ['2024-11-05', '2025-03-26', VERSION, '2025-11-25'];
const START_MS = 20_000;
const PING_MS = 5_000;
const MAX_FAILURES = 5;
const FIRST_PAUSE_MS = 1_000;
const STEADY_MS = 60_000;
const LIST_AGAIN_MS = 5_000;
const LIST_OLD_MS = 5 * 60_000;
const MAX_PAGES = 20;
const MAX_TOLD = 256;
const MAX_DEFINITION_CHARS = 32_000;

export function createServer(name: string, config: ServerConfig, ports: ServerPorts) {
  let link: Link | null = null;
  /** the one that is made up just now */
  let beginning: Link | null = null;
  let connecting: Promise<Link> | null = null;
  let told: readonly Told[] | null = null;
  let failures = 0;
  let problem: string | null = null;
  let upAtMs = 0;
  let listedAtMs = 0;
  let isClosed = false;
  let again: NodeJS.Timeout | undefined;
  let listing: NodeJS.Timeout | undefined;
  const timeoutMs = config.timeoutSeconds * 1_000;

  function lost(why: string): void {
    clearTimeout(listing);
    listing = undefined;
    const wasUp = link !== null;
    link = null;
    if (isClosed) return;
    failures = wasUp && performance.now() - upAtMs > STEADY_MS ? 1 : failures + 1;
    problem = oneLine(why, 200);
    ports.ended(problem);
    clearTimeout(again);
    if (failures >= MAX_FAILURES) return;
    again = setTimeout(() => void connect().catch(() => {}), FIRST_PAUSE_MS * 2 ** (failures - 1)).unref();
  }

  async function open(): Promise<Link> {
    let isOver = false;
    const over = (why: string): void => {
      if (isOver) return;
      isOver = true;
      peer.end(new RpcFailed('broken', why));
      void opened?.close();
      // Before it was up, connect() says so.
      if (link?.peer === peer) lost(why);
    };
    const peer: Peer = createPeer({
      send: async (message, settled) => {
        if (!opened) throw new RpcFailed('broken', 'it is not open');
        return opened.send(message, settled);
      },
      notified(method) {
        if (method === 'notifications/tools/list_changed') listSoon();
      },
      misbehaved: (why) => opened?.stop(why),
    });
    type Opened = Omit<Link, 'peer' | 'fail'> & {
      send(message: Message, settled: AbortSignal): Promise<'sent' | 'over'>;
      stop(why: string): void;
    };
    let opened: Opened | null = null;
    if (config.url !== undefined) {
      const wire = openMcpHttp({ url: config.url, headers: config.headers }, peer.receive);
      opened = { ...wire, stop: over, close: async () => wire.close() };
    } else {
      const { sandbox, limits } = await ports.openBox(name, config);
      if (isClosed) await sandbox.close();
      if (isClosed) throw new RpcFailed('broken', 'closed');
      const { command = '', args, env } = config;
      const wire = openStdio(
        { command, args, env },
        { ...{ sandbox, limits }, received: peer.receive, nonsense: peer.odd, ended: over },
      );
      opened = { ...wire, agreed() {} };
    }
    const { agreed, close } = opened;
    return { peer, agreed, close, fail: over };
  }

  async function begin(): Promise<Link> {
    const made = await open();
    beginning = made;
    try {
      const params = {
        protocolVersion: VERSION,
        capabilities: {},
        clientInfo: { name: 'hardshell', version: ports.version },
      };
      const hello = await made.peer.request('initialize', params, { timeoutMs: START_MS });
      const version = String((hello as { protocolVersion?: unknown } | null)?.protocolVersion);
      if (!KNOWN_VERSIONS.includes(version))
        throw new RpcFailed('broken', 'it speaks a version that is not known here');
      made.agreed(version);
      await made.peer.notify('notifications/initialized');
      told = await list(made.peer);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    } finally {
      beginning = null;
    }
  }

  /** One at a time, however many ask. */
  function connect(): Promise<Link> {
    if (isClosed) return Promise.reject(new RpcFailed('broken', 'it is switched off'));
    if (link !== null) return Promise.resolve(link);
    connecting ??= begin()
      .then(
        (made) => {
          link = made;
          [upAtMs, listedAtMs, problem] = [performance.now(), performance.now(), null];
          if (isClosed) void made.close();
          ports.listed();
          return made;
        },
        (error: unknown) => {
          lost(reasonOf(error));
          throw error;
        },
      )
      .finally(() => {
        connecting = null;
      });
    return connecting;
  }

  function listSoon(): void {
    if (link === null || listing !== undefined) return;
    listing = setTimeout(
      () => {
        listing = undefined;
        void relist().catch(() => {});
      },
      Math.max(0, listedAtMs + LIST_AGAIN_MS - performance.now()),
    ).unref();
  }
  async function relist(): Promise<void> {
    if (link === null) return;
    listedAtMs = performance.now();
    told = await list(link.peer);
    ports.listed();
  }

  async function ready(): Promise<Link> {
    if (link === null && connecting === null && failures >= MAX_FAILURES) throw down(name, problem);
    try {
      const made = await connect();
      if (performance.now() - listedAtMs > LIST_OLD_MS) await relist();
      return made;
    } catch (error) {
      throw error instanceof HardshellError ? error : down(name, reasonOf(error));
    }
  }

  return {
    name,
    config,
    /** null before it was ever asked */
    told: () => told,
    state: (): { state: 'ready' | 'starting' | 'down'; problem: string | null } =>
      link !== null
        ? { state: 'ready', problem: null }
        : { state: connecting !== null || problem === null ? 'starting' : 'down', problem },
    ready: async (): Promise<void> => void (await ready()),
    /** Begins anew, whatever happened before. */
    async probe(): Promise<void> {
      failures = 0;
      clearTimeout(again);
      if (link !== null) {
        await link.peer.request('ping', {}, { timeoutMs: PING_MS }).catch((error: Error) => {
          if (!(error instanceof RpcFailed && error.kind === 'answered')) void link?.close();
          throw down(name, error.message);
        });
        await relist();
      }
      await ready();
    },
    async call(tool: string, args: unknown, signal: AbortSignal): Promise<unknown> {
      const { peer, close, fail } = await ready();
      try {
        return await peer.request('tools/call', { name: tool, arguments: args }, { timeoutMs, signal });
      } catch (error) {
        if (!(error instanceof RpcFailed)) throw error;
        if (error.kind === 'broken') fail(error.message);
        if (error.kind === 'timeout' && config.url === undefined)
          // Busy is fine; deaf is not.
          peer.request('ping', {}, { timeoutMs: PING_MS }).catch(async ({ kind }: RpcFailed) => {
            if (kind === 'timeout') await close();
          });
        throw new HardshellError({
          code: error.kind === 'answered' ? 'MCP_REFUSED' : 'MCP_NO_ANSWER',
          message: `the MCP server ${name}: ${oneLine(error.message, 300)}`,
          ...(error.kind === 'answered' ? {} : { fix: `openclaw mcp probe ${name}` }),
        });
      }
    },
    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(again);
      clearTimeout(listing);
      // Nobody waits for one that does not answer.
      beginning?.fail('closed');
      const open = link ?? (await connecting?.catch(() => null)) ?? null;
      link = null;
      await open?.close();
    },
  };
}

const down = (name: string, why: string | null): HardshellError =>
  new HardshellError({
    code: 'MCP_SERVER_DOWN',
    message: `the MCP server ${name} cannot be used: ${oneLine(why ?? 'it does not answer', 300)}`,
    fix: `look at mcp.servers.${name} (docs/mcp.md), then try it: openclaw mcp probe ${name}`,
  });

async function list(peer: Peer): Promise<readonly Told[]> {
  const found = new Map<string, Told>();
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES && found.size < MAX_TOLD; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const answer = (await peer.request('tools/list', params, { timeoutMs: START_MS })) as Record<
      string,
      unknown
    > | null;
    for (const one of Array.isArray(answer?.['tools']) ? answer['tools'].slice(0, MAX_TOLD) : []) {
      const tool = toldOf(one);
      if (tool && !found.has(tool.tool)) found.set(tool.tool, tool);
    }
    cursor = answer?.['nextCursor'];
    if (typeof cursor !== 'string' || cursor === '') break;
  }
  return [...found.values()];
}

/** Every word of it that matters, under one hash. */
function toldOf(given: unknown): Told | null {
  const { name, description = '', inputSchema = {} } = (given ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !/^[\w./-]{1,128}$/.test(name)) return null;
  let definition: string;
  try {
    definition = canonicalJson({ name, description, inputSchema });
  } catch {
    return null;
  }
  if (definition.length > MAX_DEFINITION_CHARS) return null;
  return { tool: name, definition, hash: digest(definition) };
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
