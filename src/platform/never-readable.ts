// Owns the one list of places that hold keys, logins and the like: settings, the judgement of paths and the box all ask
// here. It knows names alone, and must never look at the disk.

type Place = {
  /** below a home folder; for a program, the end of its path wherever it lies outside the workspace */
  readonly path: string;
  /** what stands there, for people */
  readonly what: string;
  /** `box`: only kept out of the box and off the list of allowed folders; a named file in it may be read */
  readonly only?: 'box' | 'write';
};

/** What stands there, where, and for what alone it counts. */
const KNOWN: readonly (readonly [what: string, paths: string, only?: 'box' | 'write'])[] = [
  ['SSH keys', '.ssh'],
  ['GnuPG keys', '.gnupg'],
  [
    'stored logins',
    `.aws, .azure, .kube, .config/gcloud, .config/gh, .config/hub, .config/op, .config/rclone, .netrc, .npmrc, .pypirc,
    .git-credentials, .config/git/credentials, .docker/config.json, .pgpass, .my.cnf, .cargo/credentials,
    .cargo/credentials.toml, .gem/credentials, .vault-token`,
  ],
  [
    'a browser profile with its logins',
    `.config/google-chrome, .config/chromium, .config/BraveSoftware, .config/microsoft-edge, .config/vivaldi,
    .config/opera, .mozilla, .thunderbird, .librewolf, snap/firefox, snap/chromium, .var/app/org.mozilla.firefox,
    +Google/Chrome, +Chromium, +BraveSoftware, +Microsoft Edge, +Vivaldi, +Firefox, +Thunderbird,
    +com.operasoftware.Opera, Library/Cookies`,
  ],
  ['a keyring', 'Library/Keychains, .local/share/keyrings, .local/share/kwalletd'],
  ['passwords', '.password-store, .config/keepassxc'],
  ['a wallet', '.bitcoin, .ethereum, .electrum, .monero, .config/solana, +Bitcoin, +Ethereum, +Electrum'],
  [
    'what was typed into a shell',
    `.bash_history, .zsh_history, .python_history, .node_repl_history, .psql_history, .mysql_history, .sqlite_history,
    .rediscli_history, .zhistory, .histfile, .local/share/fish/fish_history`,
  ],
  [
    'runs by itself at the next login',
    `.bashrc, .bash_profile, .bash_login, .bash_logout, .profile, .zshrc, .zshenv, .zprofile, .config/systemd,
    .config/autostart, .config/fish, .local/share/systemd, Library/LaunchAgents`,
    'write',
  ],
  ['stored logins', '.config, .docker, .npm, .cargo, .local/share/containers', 'box'],
];
const PLACES: readonly Place[] = KNOWN.flatMap(([what, paths, only]) =>
  paths
    .split(/,\s+/)
    .map((path) => ({ path: path.replace(/^\+/, 'Library/Application Support/'), what, ...(only ? { only } : {}) })),
);

/** Of the machine: nothing of these is read, whoever runs the gateway. */
const MACHINE: readonly string[] = `/proc /sys /dev /run /var/run /private/var/run /var/lib/docker
  /var/lib/containers /var/lib/containerd /etc/shadow /etc/gshadow /etc/sudoers /etc/sudoers.d /etc/ssh
  /etc/ssl/private /etc/NetworkManager/system-connections /etc/wireguard`.split(/\s+/);
/** Never in a box, and nothing above or below them either. */
export const NEVER_IN_BOX: readonly string[] = [
  '/etc',
  '/root',
  '/boot',
  '/private/etc',
  ...MACHINE.filter((path) => !path.startsWith('/etc/')),
];

/** Wherever they lie, also in the workspace. */
const ANYWHERE: readonly { readonly name: RegExp; readonly what: string }[] = [
  { name: /^\.env(?!\.(?:example|sample|template|dist)$)(?:\..*)?$/, what: 'keys of a program' },
  { name: /\.kdbx?$/, what: 'passwords' },
  { name: /\.(?:before-restore|restor(?:ing|ed))-\d{8}t\d{9}z$/, what: 'a state folder with its keys' },
  { name: /^(?:docker|podman|containerd)[^/]*\.sock$/, what: 'the container engine, which is root' },
];

/** As a disk might take it for another name: letter case, Unicode forms, dots and spaces at the end. */
const foldName = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=[^. ])[. ]+$/, '');

/** Every name of a path folded; `/A//b/./c` and `/a/B/C` are one. */
export const foldPath = (path: string): string =>
  path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .map(foldName)
    .join('/');

const FOLDED = PLACES.filter(({ only }) => only !== 'box').map((place) => ({
  ...place,
  middle: `/${foldPath(place.path)}/`,
}));
const FOLDED_MACHINE = MACHINE.map((path) => ({ path, start: `/${foldPath(path)}/` }));

/** What a single name gives away, wherever it lies, or null. */
export function secretName(name: string): string | null {
  const folded = foldName(name);
  return ANYWHERE.find((one) => one.name.test(folded))?.what ?? null;
}

/**
 * What of the list stands at the absolute, normal `path` or above it, or null. `isOwn`: it lies in the workspace, where a
 * program of the assistant may have a `.npmrc` of its own.
 */
export function neverReadable(path: string, access: 'read' | 'write', isOwn: boolean): string | null {
  const named = path.split('/').map(secretName);
  const anywhere = named.find((what) => what !== null);
  if (anywhere) return anywhere;
  if (isOwn) return null;
  const whole = `/${foldPath(path)}/`;
  const machine = FOLDED_MACHINE.find(({ start }) => whole.startsWith(start));
  if (machine) return `${machine.path} of the machine`;
  return (
    FOLDED.find(({ middle, only }) => (only !== 'write' || access === 'write') && whole.includes(middle))?.what ?? null
  );
}

/** The places below a home folder that no box is given and no list of allowed folders should name. */
export const homePlaces = (home: string): string[] =>
  PLACES.filter(({ only }) => only !== 'write').map(({ path }) => `${home}/${path}`);
