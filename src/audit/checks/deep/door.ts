// Owns what strangers, pages and small clients get at the running gateway: asked for real, over the loopback. It must never
// send a request that would change anything if it were let through: what it tries to write is not valid.

import { type Ask, type Door, knock, knockSocket } from '../../../net/knock.ts';
import { newToken } from '../../../platform/ids.ts';
import { descendantsOf } from '../../../platform/process/tree.ts';
import { problemOfFolder } from '../../../secrets/files.ts';
import { KNOCK_HEADER, knockMark, readGatewayToken } from '../../../secrets/gateway-token.ts';
import type { McpReport } from '../../../tools/mcp/report.ts';
import { type Check, type Facts, type Finding, type Outcome, outcomeOf } from '../../check.ts';
import { andMore, oneFinding } from '../../looking.ts';
import { listeningOn, socketsOf, spoken } from '../../sockets.ts';

const group = 'Reachable from outside';
const NOT_RUNNING = 'the gateway does not run, so nothing can be asked of it';
const PATIENCE_MS = 1_500;
/** Each needs more than reading, and refuses an empty request. */
export const WRITES: readonly string[] = [
  'chat.send',
  'sessions.delete',
  'sessions.patch',
  'trust.add',
  'elevated.set',
  'mcp.approve',
  'mcp.revoke',
  'no.such.method',
];

export const DOOR_CHECKS: readonly Check[] = [
  {
    ...{ id: 'gateway.sockets', group, depth: 'deep', rows: ['S011', 'S055', 'S288'], probe: probeSockets },
    title: 'Where does the gateway really listen?',
    why: 'whoever reaches the port can try the door, whatever the configuration says',
  },
  {
    ...{ id: 'gateway.probe_no_token', group, depth: 'deep', rows: ['S103', 'S153'], probe: probeToken },
    title: 'Is anybody let in without the right token?',
    why: 'every program on this machine, and every page that reaches it, could use the assistant',
  },
  {
    ...{ id: 'gateway.probe_foreign_page', group, depth: 'deep', rows: ['S153'], probe: probePages },
    title: 'Can a page of another site, or a name that was bent to this machine, talk to it?',
    why: 'a page that you merely visit could talk to the assistant through your browser',
  },
  {
    ...{ id: 'gateway.probe_read_scope', group, depth: 'deep', rows: [], probe: probeScope },
    title: 'Is a client that may only read kept from writing?',
    why: 'a client that you trust to look could act in your name',
  },
  {
    ...{
      id: 'channels.round_trip',
      group: 'Records and recovery',
      depth: 'deep',
      rows: ['S240'],
      probe: probeChannels,
    },
    title: 'Does each channel answer?',
    why: 'what is written to you there does not arrive, and your answer does not leave',
  },
  {
    ...{ id: 'mcp.tools_changed', group: 'Supply chain', depth: 'deep', rows: ['S263'], probe: probeServers },
    title: 'Do MCP servers still say what you approved?',
    why: 'a server that changes what it says of a tool after your yes may be after something else',
  },
];

/** What is refused there is our own knock: the record is to tell it from an attack. */
function doorOf(facts: Facts): Door | null {
  if (!facts.lock?.port) return null;
  const token = problemOfFolder(facts.paths.credentialsDir) === null ? tokenOf(facts) : null;
  const headers = token === null ? {} : { [KNOCK_HEADER]: knockMark(token, Date.now()) };
  return { port: facts.lock.port, patienceMs: PATIENCE_MS, headers };
}

function tokenOf({ paths, env, settings }: Facts): string | null {
  try {
    const configured = settings?.gateway.auth.token;
    return readGatewayToken(paths, env, typeof configured === 'string' ? configured : undefined);
  } catch {
    return null;
  }
}

function probeSockets({ lock, settings }: Facts): Outcome {
  if (!lock) return { skipped: NOT_RUNNING };
  const all = listeningOn();
  if (all === null) return { skipped: 'this system does not tell which sockets listen' };
  const known = [lock.pid, ...descendantsOf(lock.pid)].map(socketsOf);
  if (known[0] === null || known[0] === undefined)
    return { skipped: `process ${lock.pid} belongs to somebody else: run this as the gateway's user, or as root` };
  const inodes = new Set(known.flatMap((one) => [...(one ?? [])]));
  const own = all.filter(({ inode }) => inodes.has(inode));
  const open = own.filter(({ isLocal }) => !isLocal);
  const { bind = 'loopback', port } = settings?.gateway ?? {};
  const isMeant = bind !== 'loopback' && bind !== 'auto';
  const findings = open.map(
    (one): Finding => ({
      severity: isMeant && one.port === lock.port ? 'WARNING' : 'CRITICAL',
      evidence: `process ${lock.pid} listens on ${spoken(one)}, gateway.bind is "${bind}"`,
      fix: 'openclaw config set gateway.bind loopback && openclaw gateway restart',
      ...(one.port === (lock.port || port) ? { where: 'gateway.bind' } : {}),
    }),
  );
  return outcomeOf(findings, `Gateway sockets: ${own.map(spoken).join(', ') || 'none'} (local-only)`);
}

/** Refused, or made to wait longer than we do: both are no way in. */
async function probeToken(facts: Facts): Promise<Outcome> {
  const door = doorOf(facts);
  if (door === null) return { skipped: NOT_RUNNING };
  const wrong = newToken(32);
  const tries = await Promise.all([
    getting(door, '/api/status', {}, 'GET /api/status without a token'),
    getting(door, '/v1/status', {}, 'GET /v1/status without a token'),
    getting(door, '/api/status', { authorization: `Bearer ${wrong}` }, 'GET /api/status with a wrong token'),
    knockSocket(door, {}, connectWith(facts, null)).then((one) => ({ ...one, what: 'a WebSocket without a token' })),
    knockSocket(door, {}, connectWith(facts, wrong)).then((one) => ({
      ...one,
      what: 'a WebSocket with a wrong token',
    })),
  ]);
  if (tries.slice(0, 2).every(({ status }) => status === 0)) return { skipped: `nothing answers on port ${door.port}` };
  return throughOf(
    tries,
    'openclaw config set gateway.auth.mode token && openclaw gateway restart',
    'Gateway door: refuses without a token and with a wrong one',
  );
}

async function probePages(facts: Facts): Promise<Outcome> {
  const door = doorOf(facts);
  if (door === null) return { skipped: NOT_RUNNING };
  const evil = 'http://attacker.invalid';
  const host = `attacker.invalid:${door.port}`;
  const pages: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a page of another site (Origin)', { origin: evil }],
    ['a page without a name (Origin: null)', { origin: 'null' }],
    ['a page of another port of this machine', { origin: `http://127.0.0.1:${door.port === 1 ? 2 : door.port - 1}` }],
    ['a foreign name (Host)', { host }],
    ['a name bent to this machine (Host and Origin)', { host, origin: `http://${host}` }],
    ['a proxy that nobody configured (X-Forwarded-For)', { 'x-forwarded-for': '192.0.2.1' }],
  ];
  const tries = await Promise.all(
    pages.flatMap(([what, headers]) => [
      getting(door, '/healthz', headers, `HTTP from ${what}`),
      // A socket that opens is one too many: no token was asked for yet, but the page talks to it.
      knockSocket(door, headers, null).then(({ status }) => ({
        what: `a WebSocket from ${what}`,
        isIn: status === 101,
        status,
      })),
    ]),
  );
  if (tries.every(({ status }) => status === 0)) return { skipped: `nothing answers on port ${door.port}` };
  return throughOf(
    tries,
    'openclaw config unset gateway.controlUi.allowedOrigins && openclaw gateway restart',
    `Gateway door: refuses pages of other sites and bent names (${tries.length} tries)`,
  );
}

type Try = { readonly what: string; readonly isIn: boolean; readonly status: number };

async function getting(
  door: Door,
  path: string,
  headers: Readonly<Record<string, string>>,
  what: string,
): Promise<Try> {
  const { status } = await knock(door, path, headers);
  return { what, isIn: status >= 200 && status < 300, status };
}

function throughOf(tries: readonly Try[], fix: string, pass: string): Outcome {
  const through = tries.filter(({ isIn }) => isIn);
  const [first] = through;
  if (first === undefined) return { pass };
  return oneFinding({ severity: 'CRITICAL', evidence: andMore(`${first.what} is let in`, through.length), fix });
}

/** A token of this machine opens with whatever rights are asked for: asking for few makes a client that may only read. */
async function asReader(facts: Facts, use: (ask: Ask) => Promise<void>): Promise<string | null> {
  const door = doorOf(facts);
  if (door === null) return NOT_RUNNING;
  if (problemOfFolder(facts.paths.credentialsDir) !== null)
    return 'the token may not be read, since the credentials folder is not in order';
  const token = tokenOf(facts);
  if (token === null) return 'there is no token to come in with';
  const { status, isIn } = await knockSocket(door, {}, connectWith(facts, token), use);
  return isIn
    ? null
    : `the gateway on port ${door.port} did not take the token (${status === 0 ? 'no answer' : 'refused'})`;
}

async function probeScope(facts: Facts): Promise<Outcome> {
  const through: string[] = [];
  const unanswered: string[] = [];
  const why = await asReader(facts, async (ask) => {
    const answers = await Promise.all(WRITES.map(async (method) => ({ method, answer: await ask(method, {}) })));
    for (const { method, answer } of answers)
      if (answer === null) unanswered.push(method);
      else if (answer.ok || answer.error !== 'MISSING_SCOPE') through.push(method);
  });
  if (why !== null) return { skipped: why };
  const [first] = through;
  if (first !== undefined)
    return oneFinding({
      severity: 'CRITICAL',
      evidence: andMore(`a client that may only read got past the gate of ${first}`, through.length),
      fix: 'openclaw gateway stop, and update',
    });
  if (unanswered.length > 0) return { skipped: `no answer to ${unanswered.join(', ')} in time` };
  return { pass: `Clients that may only read: ${WRITES.length} tries to write refused` };
}

async function probeChannels(facts: Facts): Promise<Outcome> {
  let reports: readonly Readonly<Record<string, unknown>>[] | null = null;
  const why = await asReader(facts, async (ask) => {
    // With a question to each platform, by the gateway; one that is slow is told of as it last was.
    const answer = (await ask('channels.status', { probe: true })) ?? (await ask('channels.status', {}));
    const list = (answer?.payload as { reports?: unknown } | null | undefined)?.reports;
    reports = Array.isArray(list) ? (list as never) : null;
  });
  if (why !== null) return { skipped: why };
  if (reports === null) return { skipped: 'the gateway did not tell of its channels in time' };
  const all = reports as readonly Readonly<Record<string, unknown>>[];
  const findings = all.flatMap((one): Finding[] => {
    if (one['state'] === 'connected' || one['state'] === 'off') return [];
    const problem = (one['problem'] ?? {}) as { reason?: string; fix?: string };
    const name = `${one['id']}${one['account'] === 'default' ? '' : ` (${one['account']})`}`;
    return [
      {
        severity: 'WARNING',
        evidence: `${name} is ${one['state']}${problem.reason ? `: ${problem.reason}` : ''}`,
        fix: problem.fix || 'openclaw channels status --probe',
      },
    ];
  });
  return outcomeOf(
    findings,
    all.length === 0 ? 'Channels: none is configured' : `Channels: ${all.length} connected and answering`,
  );
}

/** A changed tool is not used until it is approved again; that it changed is worth knowing. */
async function probeServers(facts: Facts): Promise<Outcome> {
  if (facts.settings !== null && Object.keys(facts.settings.mcp.servers).length === 0)
    return { pass: 'MCP servers: none is configured' };
  let servers: readonly McpReport[] | null = null;
  const why = await asReader(facts, async (ask) => {
    const list = ((await ask('mcp.list', {}))?.payload as { servers?: unknown } | null | undefined)?.servers;
    servers = Array.isArray(list) ? list : null;
  });
  if (why !== null) return { skipped: why };
  if (servers === null) return { skipped: 'the gateway did not tell of its MCP servers in time' };
  const all = servers as readonly McpReport[];
  const findings = all.flatMap(({ name, tools }): Finding[] => {
    const changed = tools.filter(({ state }) => state === 'changed');
    if (changed[0] === undefined) return [];
    const evidence = andMore(`${name} says something else of ${changed[0].tool} than you approved`, changed.length);
    return [{ severity: 'WARNING', evidence, fix: `openclaw mcp show ${name}`, where: `mcp.servers.${name}` }];
  });
  return outcomeOf(findings, `MCP servers: ${all.length}, none says anything else than you approved`);
}

const connectWith = ({ version }: Facts, token: string | null): object => ({
  ...{ minProtocol: 4, maxProtocol: 4, role: 'operator', scopes: ['operator.read'] },
  client: { id: 'cli', mode: 'cli', version, platform: process.platform },
  ...(token === null ? {} : { auth: { token } }),
});
