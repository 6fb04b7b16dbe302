// Owns real mail servers for tests: a private dovecot with one mailbox, and an SMTP server that can misbehave. Loopback,
// own folder, own certificate; it ends what it started and nothing else.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kill } from 'node:process';
import { ImapFlow } from 'imapflow';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';

export const PASSWORD = 'correct-horse';
export const USER = 'bot@house.example';
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Whoever runs dovecot as root must let it read the mail as somebody else. */
export type MailHouse = Awaited<ReturnType<typeof startMailHouse>>;

export async function startMailHouse() {
  const folder = mkdtempSync(join(tmpdir(), 'mail-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'cert.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...ec, ...subject, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  const home = join(folder, 'home');
  mkdirSync(home);
  if (isRoot) chownSync(home, NOBODY, NOBODY);
  const config = join(folder, 'dovecot.conf');
  writeFileSync(config, dovecotConf({ folder, port, key, certificate, home }));
  let child: ChildProcess | null = null;
  let output = '';

  const start = async (): Promise<void> => {
    const program = ['/usr/sbin/dovecot', '/usr/bin/dovecot'].find((path) => existsSync(path));
    if (!program) throw new Error('dovecot is not installed: apt-get install dovecot-imapd');
    const process = spawn(program, ['-F', '-c', config], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    child = process;
    for (const stream of [process.stdout, process.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
    for (;;) {
      if (process.exitCode !== null) throw new Error(`dovecot ended: ${output}`);
      // Its login process is there as soon as somebody may log in.
      if (await mailbox(USER).isThere()) return;
    }
  };
  const stop = async (): Promise<void> => {
    const process = child;
    child = null;
    if (!process || process.exitCode !== null) return;
    // Its sessions are processes of their own, in its group; a server that is gone has none.
    const gone = once(process, 'exit');
    if (process.pid !== undefined) kill(-process.pid, 'SIGTERM');
    await gone;
  };
  const ca = readFileSync(certificate, 'utf8');

  /** A mailbox, which is made when somebody logs in with a name. */
  const mailbox = (user: string) => {
    const server = { host: '127.0.0.1', port, user, password: PASSWORD };
    /** As the person whose mailbox it is. */
    const within = async <T>(work: (client: ImapFlow) => Promise<T>): Promise<T> => {
      const client = new ImapFlow({
        ...{ host: server.host, port, secure: true, tls: { ca }, auth: { user, pass: PASSWORD } },
        ...{ logger: false, disableAutoIdle: true },
      });
      client.on('error', () => {});
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.logout().catch(() => {});
        client.close();
      }
    };
    return {
      server,
      deliver: (mail: Buffer, at?: Date): Promise<void> =>
        within(async (client) => void (await client.append('INBOX', mail, [], at))),
      flags: (): Promise<string[]> =>
        within(async (client) => {
          await client.mailboxOpen('INBOX', { readOnly: true });
          const found: string[] = [];
          for await (const one of client.fetch('1:*', { flags: true })) found.push([...(one.flags ?? [])].join(' '));
          return found;
        }),
      isThere: (): Promise<boolean> => within(async () => true).catch(() => false),
    };
  };
  await start();
  return {
    ...mailbox(USER),
    ...{ ca, key: readFileSync(key, 'utf8'), start, stop, mailbox },
    output: () => output,
    /** So many mails at once, as if they had always been there; call it before anybody logs in with that name. */
    fill(user: string, count: number, mailOf: (index: number) => Buffer): void {
      const maildir = join(home, user, 'Maildir');
      for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, name), { recursive: true });
      const [at, stamp] = [join(maildir, 'cur'), 1_700_000_000];
      for (let n = 0; n < count; n++) {
        const bytes = mailOf(n);
        writeFileSync(join(at, `${stamp + n}.M${n}P1.house,S=${bytes.length},W=${bytes.length}:2,S`), bytes);
      }
      if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, join(home, user)]);
    },
    /** The server forgets its numbers; call it while it is stopped. */
    renumber(): void {
      const inbox = join(home, USER, 'Maildir');
      for (const name of readdirSync(inbox)) if (/^dovecot/.test(name)) rmSync(join(inbox, name), { recursive: true });
    },
    async end(): Promise<void> {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Conf = { folder: string; port: number; key: string; certificate: string; home: string };

function dovecotConf({ folder, port, key, certificate, home }: Conf): string {
  const [me, group] = ['-un', '-gn'].map((of) => execFileSync('id', [of], { encoding: 'utf8' }).trim());
  const users = isRoot
    ? 'default_login_user = dovenull\ndefault_internal_user = dovecot'
    : `default_login_user = ${me}\ndefault_internal_user = ${me}\ndefault_internal_group = ${group}\nservice anvil {\n  chroot =\n}`;
  const owner = isRoot ? `uid=${NOBODY} gid=${NOBODY}` : `uid=${process.getuid?.()} gid=${process.getgid?.()}`;
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
${users}
ssl = required
ssl_cert = <${certificate}
ssl_key = <${key}
mail_location = maildir:${home}/%u/Maildir
first_valid_uid = 1
last_valid_uid = 0
imap_max_line_length = 64k
shutdown_clients = yes
auth_failure_delay = 0
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = ${owner} home=${home}
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  ${isRoot ? '' : 'chroot ='}
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${port}
    ssl = yes
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** What the SMTP server does with the next mail, or with every one from now on. */
export type PostMood = 'take' | 'busy' | 'refuse' | 'refuse-recipient' | 'drop-after-data' | 'drop-before-data';
export type Posted = { readonly from: string; readonly to: readonly string[]; readonly raw: string };

export async function startPostOffice(house: { readonly ca: string }, key: string, port = 0) {
  const taken: Posted[] = [];
  let onTaken: (posted: Posted) => void | Promise<void> = () => {};
  let mood: PostMood = 'take';
  const refusal = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
  const server = new SMTPServer({
    ...{ secure: true, key, cert: house.ca, logger: false, authMethods: ['PLAIN', 'LOGIN'] },
    onAuth: ({ username, password }, _session, done) =>
      password === PASSWORD
        ? done(null, { user: username ?? '' })
        : done(refusal(535, 'Username and Password not accepted')),
    onRcptTo: ({ address }, session, done) => {
      if (mood === 'refuse-recipient' || address.startsWith('nobody@')) return done(refusal(550, 'No such user'));
      if (mood === 'drop-before-data') return cut(session.id);
      done();
    },
    onData: (stream: SMTPServerDataStream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (mood === 'busy') return done(refusal(451, 'Greylisted, come again'));
        if (mood === 'refuse') return done(refusal(554, 'Message rejected'));
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom ? mailFrom.address : '';
        const to = rcptTo.map(({ address }) => address);
        const posted = { from, to, raw: Buffer.concat(chunks).toString('latin1') };
        taken.push(posted);
        // Whoever waits for the answer of the server finds what it took.
        void Promise.resolve(onTaken(posted)).then(() => (mood === 'drop-after-data' ? cut(session.id) : done()));
      });
    },
  });
  const cut = (id: string): void => {
    for (const connection of server.connections) {
      const { id: own, _socket: socket } = connection as unknown as { id: string; _socket: { destroy(): void } };
      if (own === id) socket.destroy();
    }
  };
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address() as { port: number };
  return {
    server: { host: '127.0.0.1', port: address.port, user: USER, password: PASSWORD },
    taken,
    feel: (next: PostMood): void => {
      mood = next;
    },
    onTaken: (tell: typeof onTaken): void => {
      onTaken = tell;
    },
    end: (): Promise<void> => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Stands before a server, counts who is connected to it, and can cut them off or let nobody in. */
export async function startDoor(target: number) {
  const open = new Set<Socket>();
  let arrive: () => boolean = () => true;
  let limitBytes = Number.POSITIVE_INFINITY;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (!arrive()) return void socket.destroy();
    const inside = connect(target, '127.0.0.1');
    inside.on('error', () => {});
    open.add(socket);
    socket.on('close', () => {
      open.delete(socket);
      inside.destroy();
    });
    inside.on('close', () => socket.destroy());
    let passedBytes = 0;
    inside.on('data', (chunk: Buffer) => {
      passedBytes += chunk.length;
      if (passedBytes > limitBytes) socket.destroy();
    });
    socket.pipe(inside).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut,
    count: () => open.size,
    /** of each connection, from the server */
    limit: (bytes: number): void => {
      limitBytes = bytes;
    },
    /** asked at each arrival; false turns it away */
    atArrival: (ask: () => boolean): void => {
      arrive = ask;
    },
    async end(): Promise<void> {
      cut();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
