// The real side process against a server of the test: Baileys from the folder in argv[2], the address in argv[3]. The
// shipped side process has no such door; `unguarded` leaves the guard out, to show what it is for.
const [, , code, url, guard] = process.argv;
const { runSidecar } = await import(`${code}/sidecar.mjs`);
const { connect } = await import(`${code}/connection.mjs`);
const baileys =
  guard === 'unguarded'
    ? await import(`${code}/node_modules/baileys/lib/index.js`)
    : await (await import(`${code}/guard.mjs`)).armedBaileys();
runSidecar({
  folder: process.cwd(),
  input: process.stdin,
  write: (line) => void process.stdout.write(line),
  end: (status) => process.exit(status),
  baileys,
  open: (ports) =>
    connect({
      ...ports,
      baileys,
      connectWithinMs: 4_000,
      overrides: { waWebSocketUrl: url, connectTimeoutMs: 2_000, defaultQueryTimeoutMs: 2_000 },
    }),
});
