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

const BROWSER = 'a browser profile with its logins';
const TOKENS = 'stored logins';
const WALLET = 'a wallet';
const HISTORY = 'what was typed into a shell';
const AT_LOGIN = 'runs by itself at the next login';

const PLACES: readonly Place[] = [
  { path: '.ssh', what: 'SSH keys' },
  { path: '.gnupg', what: 'GnuPG keys' },
  ...['.aws', '.azure', '.kube', '.config/gcloud', '.config/gh', '.config/hub', '.config/op', '.config/rclone'].map(
    tokens,
  ),
  ...['.netrc', '.npmrc', '.pypirc', '.git-credentials', '.config/git/credentials', '.docker/config.json'].map(tokens),
  ...['.pgpass', '.my.cnf', '.cargo/credentials', '.cargo/credentials.toml', '.gem/credentials', '.vault-token'].map(
    tokens,
  ),
  ...['google-chrome', 'chromium', 'BraveSoftware', 'microsoft-edge', 'vivaldi', 'opera'].map((name) => ({
    path: `.config/${name}`,
    what: BROWSER,
  })),
  ...['.mozilla', '.thunderbird', '.librewolf', 'snap/firefox', 'snap/chromium', '.var/app/org.mozilla.firefox'].map(
    (path) => ({ path, what: BROWSER }),
  ),
  ...['Google/Chrome', 'Chromium', 'BraveSoftware', 'Microsoft Edge', 'Vivaldi', 'Firefox', 'Thunderbird'].map(
    (name) => ({ path: `Library/Application Support/${name}`, what: BROWSER }),
  ),
  { path: 'Library/Application Support/com.operasoftware.Opera', what: BROWSER },
  { path: 'Library/Cookies', what: BROWSER },
  { path: 'Library/Keychains', what: 'a keyring' },
  { path: '.local/share/keyrings', what: 'a keyring' },
  { path: '.local/share/kwalletd', what: 'a keyring' },
  { path: '.password-store', what: 'passwords' },
  { path: '.config/keepassxc', what: 'passwords' },
  ...['.bitcoin', '.ethereum', '.electrum', '.monero', '.config/solana'].map((path) => ({ path, what: WALLET })),
  ...['Bitcoin', 'Ethereum', 'Electrum'].map((name) => ({
    path: `Library/Application Support/${name}`,
    what: WALLET,
  })),
  ...['bash', 'zsh', 'python', 'node_repl', 'psql', 'mysql', 'sqlite', 'rediscli'].map((name) => ({
    path: `.${name}_history`,
    what: HISTORY,
  })),
  ...['.zhistory', '.histfile', '.local/share/fish/fish_history'].map((path) => ({ path, what: HISTORY })),
  ...['.bashrc', '.bash_profile', '.bash_login', '.bash_logout', '.profile', '.zshrc', '.zshenv', '.zprofile'].map(
    atLogin,
  ),
  ...['.config/systemd', '.config/autostart', '.config/fish', '.local/share/systemd', 'Library/LaunchAgents'].map(
    atLogin,
  ),
  ...['.config', '.docker', '.npm', '.cargo', '.local/share/containers'].map((path) => ({
    path,
    what: TOKENS,
    only: 'box' as const,
  })),
];

function tokens(path: string): Place {
  return { path, what: TOKENS };
}
function atLogin(path: string): Place {
  return { path, what: AT_LOGIN, only: 'write' };
}

/** Of the machine: nothing of these is read, whoever runs the gateway. */
const MACHINE: readonly string[] = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/run',
  '/private/var/run',
  '/var/lib/docker',
  '/var/lib/containers',
  '/var/lib/containerd',
  '/etc/shadow',
  '/etc/gshadow',
  '/etc/sudoers',
  '/etc/sudoers.d',
  '/etc/ssh',
  '/etc/ssl/private',
  '/etc/NetworkManager/system-connections',
  '/etc/wireguard',
];
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
  { name: /^(?:docker|podman|containerd)[^/]*\.sock$/, what: 'the container engine, which is root' },
];

/** As a disk might take it for another name: letter case, Unicode forms, dots and spaces at the end. */
export const foldName = (name: string): string =>
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
