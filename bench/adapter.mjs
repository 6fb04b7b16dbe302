// Owns everything that the benchmark kit must know about this program: how it is started, set up and talked to. It
// measures nothing itself, and does for us exactly what the kit's other adapters do for theirs.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';

export const name = 'hardshell';
export const healthPath = '/healthz';
export const readyPath = '/readyz';
export const TOKEN = crypto.randomBytes(32).toString('hex');

export const sessionKey = (n) => `agent:main:bench-${n}`;
export const stateDir = (o) => path.join(o.home, '.openclaw');
export const workspace = (o) => path.join(stateDir(o), 'workspace');
export const installRoot = (o) => o.installRoot ?? o.root;

const env = (o) => ({
  PATH: `${path.dirname(o.nodebin)}:${process.env.PATH ?? ''}`,
  HOME: o.home,
  LANG: 'C.UTF-8',
  NO_COLOR: '1',
  TERM: 'dumb',
  OPENCLAW_GATEWAY_TOKEN: TOKEN,
  OPENCLAW_GATEWAY_PORT: String(o.port),
});
/** As it is typed: the launcher, which finds its Node by itself. */
export const cli = (o, args) => ({ file: path.join(o.root, 'bin', 'openclaw.cjs'), args, env: env(o), cwd: o.home });
export const gateway = (o) => cli(o, ['gateway', 'run']);

export const cliCommands = [
  { id: 'version', args: ['--version'] },
  { id: 'help', args: ['--help'] },
  { id: 'status', args: ['status'], gateway: true },
  { id: 'health', args: ['health'], gateway: true },
  { id: 'sessions list', args: ['sessions', 'list'], gateway: true },
];

const API = { chat: 'openai-completions', responses: 'openai-responses', anthropic: 'anthropic-messages' };

/** A fresh HOME whose only setting is where the model is. */
export function setup(o, { modelBase, patch } = {}) {
  const started = now();
  fs.mkdirSync(stateDir(o), { recursive: true, mode: 0o700 });
  const config = {
    gateway: { mode: 'local', port: o.port },
    models: {
      providers: {
        bench: {
          baseUrl: o.api === 'anthropic' ? modelBase.replace(/\/v1$/, '') : modelBase,
          apiKey: 'sk-bench',
          api: API[o.api] ?? o.api,
          models: [{ id: 'bench-model', name: 'bench-model', contextWindow: 128_000 }],
        },
      },
    },
    agents: { defaults: { model: { primary: 'bench/bench-model' } } },
  };
  for (const change of [].concat(patch ?? [])) change(config);
  const configFile = path.join(stateDir(o), 'openclaw.json');
  fs.writeFileSync(configFile, JSON.stringify(config, null, 2), { mode: 0o600 });
  return { onboardMs: now() - started, configFile };
}

/** Commands always run in the sandbox here and ask nobody; there is nothing to open up. */
export const patches = { execOpen: () => {} };
export const toolCalls = {
  exec: (command) => ({ name: 'exec', args: { command } }),
  read: (file) => ({ name: 'read', args: { path: file } }),
};
export const httpChat = null;
export const history = (c, key, limit = 5) => c.request('chat.history', { sessionKey: key, limit });

const now = () => Number(process.hrtime.bigint() / 1000n) / 1000;
const base64url = (bytes) => bytes.toString('base64url');

const devices = new Map();
/** One signed identity per home, like an ordinary client. */
function device(o) {
  if (!devices.has(o.home)) {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const id = crypto.createHash('sha256').update(raw).digest('hex');
    devices.set(o.home, { id, publicKey: base64url(raw), privateKey });
  }
  return devices.get(o.home);
}

const SCOPES = ['operator.admin', 'operator.read', 'operator.write', 'operator.approvals'];

function greeting(o, challenge) {
  const { id, publicKey, privateKey } = device(o);
  const client = { id: 'cli', version: '1.0.0', platform: 'linux', mode: 'cli' };
  const facts = ['v3', id, client.id, client.mode, 'operator', SCOPES.join(','), challenge.ts, TOKEN, challenge.nonce];
  const signature = base64url(crypto.sign(null, Buffer.from([...facts, 'linux', ''].join('|')), privateKey));
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client,
    role: 'operator',
    scopes: SCOPES,
    caps: [],
    auth: { token: TOKEN },
    locale: 'en-US',
    userAgent: 'bench/1',
    device: { id, publicKey, signature, signedAt: challenge.ts, nonce: challenge.nonce },
  };
}

/** Resolves after hello, with what the kit calls a client. */
export function connect(o, { timeoutMs = 20_000 } = {}) {
  return new Promise((resolve, reject) => {
    const t0 = now();
    const ws = new WebSocket(`ws://127.0.0.1:${o.port}/`, { perMessageDeflate: false, handshakeTimeout: timeoutMs });
    const pending = new Map();
    const runs = new Map();
    let serial = 0;
    let isOpen = false;
    const fail = (error) => {
      clearTimeout(timer);
      for (const call of pending.values()) call.reject(error);
      if (!isOpen) ws.terminate();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error('hello timeout')), timeoutMs);
    const request = (method, params) =>
      new Promise((res, rej) => {
        const id = String(++serial);
        pending.set(id, { resolve: res, reject: rej });
        ws.send(JSON.stringify({ type: 'req', id, method, params }));
      });
    const api = { ws, t0, helloMs: 0, request, frames: 0, bytes: 0 };
    api.close = () =>
      new Promise((done) => {
        ws.once('close', done);
        ws.close();
        setTimeout(done, 1_000).unref();
      });
    api.send = (key, message, options = {}) => sendTurn({ request, runs }, key, message, options.timeoutMs ?? 120_000);
    ws.on('error', fail);
    ws.on('close', (code, why) => fail(new Error(`closed ${code} ${why}`)));
    ws.on('message', (data) => {
      api.frames += 1;
      api.bytes += data.length;
      const frame = JSON.parse(data);
      if (frame.type === 'res') return answer(pending, frame);
      if (frame.event === 'connect.challenge') {
        request('connect', greeting(o, frame.payload)).then((hello) => {
          isOpen = true;
          clearTimeout(timer);
          api.helloMs = now() - t0;
          api.hello = hello;
          resolve(api);
        }, fail);
      } else if (frame.event === 'chat') onChat(runs.get(frame.payload.runId), frame.payload);
    });
  });
}

function answer(pending, frame) {
  const call = pending.get(frame.id);
  pending.delete(frame.id);
  if (frame.ok) call?.resolve(frame.payload);
  else
    call?.reject(
      Object.assign(new Error(frame.error?.message), { code: frame.error?.code, details: frame.error?.details }),
    );
}

function onChat(run, payload) {
  if (!run) return;
  if (payload.state === 'delta') {
    run.first ??= now();
    run.deltas += 1;
  } else if (['final', 'error', 'aborted'].includes(payload.state)) run.finish(payload);
}

function sendTurn({ request, runs }, key, message, timeoutMs) {
  return new Promise((resolve, reject) => {
    const runId = crypto.randomUUID();
    const run = { t: now(), ack: null, first: null, deltas: 0 };
    const leave = () => {
      clearTimeout(timer);
      runs.delete(runId);
    };
    const timer = setTimeout(() => {
      leave();
      reject(new Error('turn timeout'));
    }, timeoutMs);
    run.finish = (payload) => {
      leave();
      const end = now();
      const first = run.first ?? end;
      resolve({
        runId,
        t: run.t,
        ackMs: (run.ack ?? end) - run.t,
        firstMs: first - run.t,
        finalMs: end - run.t,
        finalAt: end,
        firstAt: first,
        state: payload.state,
        deltas: run.deltas,
        error: payload.errorMessage,
      });
    };
    runs.set(runId, run);
    request('chat.send', { sessionKey: key, message, idempotencyKey: runId }).then(
      () => {
        run.ack = now();
      },
      (error) => {
        leave();
        reject(error);
      },
    );
  });
}
