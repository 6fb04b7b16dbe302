// Owns the words by which commands and programs are known that no skill needs: droppers, hidden code, shells for others,
// what survives a restart, what robs. Every repetition is bounded; a line is looked at after tricks of spelling are undone.
import { type Rule, rule } from './rule.ts';

const SHELL = String.raw`(?:/\S{0,40}/)?(?:ba|z|da|k|c|tc|fi|a)?sh\b(?!-)`;
const RUNNER = String.raw`(?:/\S{0,40}/)?(?:python\d?(?:\.\d+)?|perl|ruby|node|deno|bun|php|osascript|pwsh|powershell(?:\.exe)?|iex|invoke-expression)\b(?!\s+-(?:m\b|\w{0,4}[ceEnprs]\b))`;
const BEFORE = String.raw`(?:sudo\s+|env\s+|exec\s+|nohup\s+|command\s+|-\S{1,20}\s+|\w{1,30}=\S{0,60}\s+){0,4}`;
const GETTER = String.raw`\b(?:curl|wget|fetch|aria2c|lwp-request|http|https|xh)\b`;
const INTO = String.raw`\|\s*${BEFORE}(?:${SHELL}|${RUNNER}|source\b|\.\s|tclsh)`;
const RUNS = String.raw`(?:eval|source|\.|exec|(?:ba|z|da)?sh(?:\s+-\S{1,6})?|python\d?\s+-c|node\s+-e)`;

const dropper = 'it runs what it fetches: whoever owns the address decides what runs, and when';
const hidden = 'it runs what is spelled so that nobody can read it';
const shell = 'it gives somebody else a shell on this machine';
const stays = 'it makes something run again by itself, after this skill is gone';
const robs = 'it reads keys, logins or wallets that no skill has any business with';

export const CODE_RULES: readonly Rule[] = [
  rule('pipe-to-shell', 'CRITICAL', dropper, RegExp(`${GETTER}[^\\n]{0,400}?${INTO}`, 'i')),
  rule('run-fetched', 'CRITICAL', dropper, RegExp(`(?:^|[\\s;&|("'\`])${RUNS}\\s{0,4}["']?(?:\\$\\(|<\\(|\`)\\s{0,4}${GETTER}`, 'i')), // biome-ignore format: a table
  rule('save-and-run', 'CRITICAL', dropper, RegExp(`${GETTER}[^\\n]{0,300}?(?:-o|-O|--output|>)\\s{0,4}['"]?(\\S{1,120}?)['"]?\\s{0,4}(?:;|&&|\\|\\|)[^\\n]{0,200}?(?:chmod\\s+(?:\\+x|[0-7]{3,4}|a\\+x|u\\+x)|(?:ba|z)?sh\\s|open\\s|\\./|python\\d?\\s)`, 'i')), // biome-ignore format: a table
  rule('run-fetched', 'CRITICAL', dropper, /\b(?:exec|eval|Function|runInNewContext|runInThisContext)\s{0,4}\(\s{0,4}(?:await\s{1,4})?\(?(?:await\s{1,4})?(?:requests?\b|urllib|urlopen|httpx|fetch\b|axios|got\b|http\.)/i), // biome-ignore format: a table
  rule('run-fetched', 'CRITICAL', dropper, /\b(?:iex|invoke-expression)\b[^\n]{0,200}?(?:downloadstring|iwr|invoke-webrequest|irm|invoke-restmethod|webclient|http)/i), // biome-ignore format: a table
  rule('run-fetched', 'CRITICAL', dropper, /(?:downloadstring|\biwr\b|invoke-webrequest|\birm\b|invoke-restmethod)[^\n]{0,300}?\|\s{0,4}(?:iex|invoke-expression)\b/i), // biome-ignore format: a table
  rule('windows-dropper', 'CRITICAL', dropper, /\bcertutil(?:\.exe)?\b[^\n]{0,120}?[-/](?:urlcache|decode|verifyctl)|\bbitsadmin(?:\.exe)?\b[^\n]{0,80}?\/(?:transfer|addfile)|start-bitstransfer|\bmshta(?:\.exe)?\s[^\n]{0,40}?(?:https?:|javascript:|vbscript:)|\bregsvr32\b[^\n]{0,80}?\/i:http|\brundll32\b[^\n]{0,60}?javascript|\bmsiexec\b[^\n]{0,60}?\/[iq]\S{0,3}\s{1,4}https?:|wmic\s+process\s+call\s+create/i), // biome-ignore format: a table
  rule('windows-hidden', 'CRITICAL', hidden, /\bpowershell(?:\.exe)?\b[^\n]{0,200}?\s-(?:e|en|enc|encodedcommand)\s{1,4}[A-Za-z0-9+/=]{16}|\bpwsh\b[^\n]{0,200}?\s-(?:e|en|enc|encodedcommand)\s{1,4}[A-Za-z0-9+/=]{16}|-w(?:indowstyle)?\s{1,4}hidden/i), // biome-ignore format: a table
  rule('windows-policy', 'WARNING', 'it switches off what keeps scripts from running', /-executionpolicy\s{1,4}(?:bypass|unrestricted)|set-mppreference|add-mppreference/i), // biome-ignore format: a table
  rule('mac-warnings-off', 'CRITICAL', 'it takes away the warnings of macOS about programs from outside', /\bxattr\b[^\n]{0,40}?(?:-c\b|-r?d\b[^\n]{0,20}?com\.apple\.quarantine|-cr\b|-rc\b)|\bspctl\b[^\n]{0,40}?--(?:master|global)-disable|\bcsrutil\s+disable/i), // biome-ignore format: a table
  rule('mac-password', 'CRITICAL', 'it asks for, or takes, the password of the person at the machine', /display\s+dialog[^\n]{0,200}?(?:hidden\s+answer|password)|\bsecurity\s+(?:find-(?:generic|internet)-password|dump-keychain|export)|\bdscl\b[^\n]{0,40}?-authonly/i), // biome-ignore format: a table
  rule('install-from-address', 'WARNING', 'it installs a program from an address, which may be another one tomorrow', /\b(?:pip\d?|uv|pipx)\b[^\n]{0,60}?\binstall\b[^\n]{0,120}?(?:https?:|git\+|--(?:extra-)?index-url|--trusted-host)|\bnpm\s+(?:i|install|exec)\b[^\n]{0,80}?(?:https?:|git\+|--registry)|\b(?:npx|bunx|uvx)\b[^\n]{0,40}?\s(?:https?:|git\+|github:)/i), // biome-ignore format: a table

  rule('decode-and-run', 'CRITICAL', hidden, RegExp(`(?:base64\\s{1,4}(?:-d|-D|--decode|-di)|openssl\\s+(?:enc|base64)[^\\n]{0,60}?\\s-d|xxd\\s+-r|uudecode|gunzip|zcat|xz\\s+-d|bunzip2|\\brev\\b|\\btr\\s+\\S{1,60}\\s+\\S{1,60}|\\bsed\\b[^|\\n]{1,80}|\\bawk\\b[^|\\n]{1,80}|printf\\s+['"]?\\\\)[^\\n]{0,200}?${INTO}`, 'i')), // biome-ignore format: a table
  rule('decode-and-run', 'CRITICAL', hidden, RegExp(`(?:^|[\\s;&|("'\`])${RUNS}\\s{0,4}["']?(?:\\$\\(|<\\(|\`)[^\\n]{0,200}?(?:base64\\s{1,4}(?:-d|-D|--decode)|xxd\\s+-r|openssl\\s+enc|\\|\\s{0,4}rev\\b|\\|\\s{0,4}tr\\s|printf\\s{1,4}['"]?\\\\)`, 'i')), // biome-ignore format: a table
  rule('decode-and-run', 'CRITICAL', hidden, /\b(?:exec|eval|compile|Function|setTimeout|loads|import_module|system|popen|run)\s{0,4}\(\s{0,4}(?:\w{1,30}\.){0,3}(?:b64decode|b32decode|a85decode|decompress|unhexlify|fromhex|atob|unescape|fromCharCode|decodeURIComponent|rot13|decode)\s{0,4}\(/i), // biome-ignore format: a table
  rule('decode-and-run', 'CRITICAL', hidden, /\bmarshal\.loads\s{0,4}\(|\bpickle\.loads\s{0,4}\([^)\n]{0,60}?(?:b64|decode)|\beval\s{0,4}\(\s{0,4}(?:Buffer\.from|gzinflate|str_rot13|base64_decode)|assert\s{0,4}\(\s{0,4}base64_decode/i), // biome-ignore format: a table
  rule('shell-of-words', 'WARNING', 'it runs text that is put together while it runs', RegExp(`(?:echo|printf|cat)\\s[^|\\n]{1,200}?\\|\\s{0,4}(?:base64[^|\\n]{0,20}?\\|\\s{0,4})?(?:sudo\\s+)?${SHELL}\\s{0,4}(?:-s?\\s{0,4})?$`, 'i')), // biome-ignore format: a table
  rule('hidden-names', 'CRITICAL', hidden, /__import__\s{0,4}\(\s{0,4}(?:['"](?:os|subprocess|base64|socket|pty|ctypes|marshal)['"]|[^'")\s])|getattr\s{0,4}\(\s{0,4}__(?:builtins|import)__|__builtins__\s{0,4}\[|(?:chr\s{0,4}\(\s{0,4}\d{1,3}\s{0,4}\)\s{0,4}\+\s{0,4}){4}|fromCharCode\s{0,4}\((?:\s{0,4}(?:0x)?[0-9a-f]{1,4}\s{0,4},){8}|\[\]\s{0,2}\[\s{0,2}\(?!\[\]|\(!\[\]\+\[\]\)/i), // biome-ignore format: a table
  rule('hidden-names', 'CRITICAL', hidden, /(?:\b_0x[a-f0-9]{4,8}\b[^\n]{0,300}?){3}|(?:process|global|globalThis|window|require)\s{0,4}\[\s{0,4}['"`][^'"`\n]{0,20}['"`]\s{0,4}\+/i), // biome-ignore format: a table
  rule('escaped-text', 'WARNING', 'text that is spelled in numbers hides what it says', /(?:\\x[0-9a-f]{2}){12}|(?:\\u00[0-9a-f]{2}){12}|(?:%[0-9a-f]{2}){16}|(?:\\[0-3][0-7]{2}){12}/i), // biome-ignore format: a table
  rule('dynamic-code', 'WARNING', 'it runs text as a program: what is scanned is not all that will run', /(?<![\w.$])(?:eval|exec)\s{0,4}\(\s{0,4}(?!['"`][^'"`\n]{0,80}['"`]\s{0,4}\)|\))|\bnew\s+Function\s{0,4}\(|\bvm\.(?:runIn\w{1,20}|Script|compileFunction)\s{0,4}\(/, 'code'), // biome-ignore format: a table

  rule('reverse-shell', 'CRITICAL', shell, /\/dev\/(?:tcp|udp)\/|\b(?:nc|ncat|netcat)\b[^\n]{0,80}?\s-\w{0,4}[ec]\s|\bbash\s+-i\b[^\n]{0,40}?(?:>&|&>|<&|\d>)|mkfifo\s[^\n]{0,200}?\b(?:nc|ncat|netcat|telnet|openssl)\b|\bsocat\b[^\n]{0,120}?\b(?:exec|system|pty)\b|pty\.spawn\s{0,4}\(|os\.dup2\s{0,4}\(|fsockopen\s{0,4}\([^\n]{0,160}?(?:exec|sh)\b|\bTCPSocket\.(?:new|open)[^\n]{0,120}?(?:exec|sh\b|popen)|Net\.Sockets\.TCPClient|use\s+Socket;[^\n]{0,300}?exec|\b(?:msfvenom|meterpreter|metasploit)\b/i), // biome-ignore format: a table
  rule('tunnel', 'WARNING', 'it opens a way in from outside', /\bssh\b[^\n]{0,120}?\s-\w{0,4}R\s|\b(?:chisel|frpc|bore)\s+(?:client|local|-c)|\b(?:ngrok|cloudflared|localtunnel|lt)\s+(?:http|tcp|tunnel|--port)\b/i), // biome-ignore format: a table

  rule('persists', 'CRITICAL', stays, /@reboot\s|\|\s{0,4}crontab\s{0,4}-|\bcrontab\s+(?!-[lerui]\b)['"]?[\w$./-]{1,80}|(?:>|>>|tee\s(?:-a\s)?|cp\s[^\n]{0,80}?\s|install\s[^\n]{0,80}?\s)\s{0,4}['"]?(?:\/etc\/cron|\/var\/spool\/cron)/i), // biome-ignore format: a table
  rule('persists', 'CRITICAL', stays, /Launch(?:Agents|Daemons)\/|\blaunchctl\s+(?:load|bootstrap|submit|enable)\b|\bschtasks(?:\.exe)?\b[^\n]{0,40}?\/create|register-scheduledtask|\breg(?:\.exe)?\s+add\b[^\n]{0,120}?\\Run|CurrentVersion\\+Run\b|\\Start ?Menu\\[^\n]{0,40}?\\Startup|\/etc\/(?:rc\.local|profile\.d|ld\.so\.preload|sudoers|systemd\/system)\b|\.config\/(?:autostart|systemd\/user)\/|LD_PRELOAD=|DYLD_INSERT_LIBRARIES=/i), // biome-ignore format: a table
  rule('persists', 'CRITICAL', stays, /(?:>>?|tee\s(?:-a\s)?|write|append|add|open\s{0,4}\(|appendFile\w{0,4}\s{0,4}\(|writeFile\w{0,4}\s{0,4}\(|sed\s+-i)[^\n]{0,120}?(?:\.(?:bashrc|bash_profile|zshrc|zprofile|zshenv|profile|bash_login|xinitrc|inputrc|vimrc)\b|config\.fish|\.ssh\/(?:authorized_keys2?|rc|config)\b|authorized_keys\b|\.git\/hooks\/|core\.hooksPath|sitecustomize\.py|usercustomize\.py)/i), // biome-ignore format: a table
  rule('persists', 'WARNING', stays, /\bsystemctl\s+(?:--\w{1,10}\s+)?enable\b|\bpm2\s+(?:startup|start)\b|\bnohup\s[^\n]{1,160}?&\s{0,4}$|\bsetsid\s|\bdisown\b|\bat\s+now\s{0,4}\+/i, 'code'), // biome-ignore format: a table
  rule('rights', 'CRITICAL', 'it gives itself, or others, rights on this machine', /\bchmod\s+(?:u\+s|[4267][0-7]{3}\s)|NOPASSWD|\b(?:useradd|adduser|net\s+user\s+\S{1,40}\s+\S{1,40}\s+\/add|dscl\s+\.\s+-create)\b|\bsetcap\s/i), // biome-ignore format: a table

  rule('takes-keys', 'CRITICAL', robs, /(?:\b(?:cat|cp|tar|zip|scp|rsync|base64|read|less|head|tail|strings|dd|curl|7z|gpg|sqlite3|open|copy|steal|upload|send|include|collect|readFile\w{0,4}|read_text|read_bytes|copyfile|copytree|expanduser|join|glob|find|grep|get-content|type|sh|source)\b|<|@)[^\n]{0,120}?(?:\.ssh\b(?:\/(?!known_hosts|config\b)|['"\s]|$)|\bid_(?:rsa|ed25519|ecdsa|dsa)\b(?!\.pub)|\.aws['"\s,/\\]{1,6}credentials|\.gnupg\b|\.netrc\b|\.git-credentials|\.pypirc|\.docker\/config\.json|\.kube\/config|\.config\/(?:gcloud|gh\/hosts)|\.vault-token|\.pgpass|\.password-store|\/etc\/(?:shadow|gshadow|master\.passwd)|\.(?:bash|zsh)_history|\/proc\/(?:self|\d{1,7}|\*|\$\w{1,20})\/(?:environ|mem|maps)|\.openclaw\/(?:openclaw\.json|credentials|\.env|state\.sqlite|secrets)|auth-profiles\.json)/i), // biome-ignore format: a table
  rule('takes-keys', 'CRITICAL', robs, /\bLogin Data\b|logins\.json|key4\.db|Cookies\.binarycookies|Web Data['"\s]|Local State['"]|login\.keychain|Keychains\/|(?:Chrome|Chromium|Firefox|Brave-?Browser|Edge)\/[^\n]{0,80}?(?:Cookies|Profiles?|User Data|Default)|browser_?cookie3|\bCryptUnprotectData\b|\b(?:mimikatz|lazagne|keydump|chainbreaker)\b/i), // biome-ignore format: a table
  rule('takes-wallet', 'CRITICAL', 'it is after a wallet', /\bwallet\.dat\b|nkbihfbeogaeaoehlefnkodbefgpgknn|bfnaelmomeimhlpmgjnjophhpkkoljpa|\b(?:Exodus|Electrum|Atomic|Coinomi|Ledger Live|MetaMask|Phantom|Trust ?Wallet)\b[^\n]{0,60}?(?:wallet|keystore|vault|seed|Local Storage|extension|\.json)|\/(?:\.bitcoin|\.ethereum|\.electrum|\.monero|\.config\/solana)\b|solana\/id\.json|\/keystore\/UTC--/i), // biome-ignore format: a table
  rule('takes-wallet', 'CRITICAL', 'it is after a wallet', /\b(?:enter|provide|paste|send|type|share|give|reveal|read|import|collect|ask for|export|upload)\b[^\n]{0,80}?\b(?:seed phrase|recovery phrase|mnemonic|secret phrase|private keys?\b[^\n]{0,30}?\bwallet|wallet[^\n]{0,30}?private key)/i), // biome-ignore format: a table
  rule('mines', 'CRITICAL', 'it mines for somebody else', /\bxmrig\b|stratum\+(?:tcp|ssl)|\b(?:minerd|cpuminer|cgminer|nicehash|minexmr|supportxmr|moneroocean|cryptonight|randomx)\b/i), // biome-ignore format: a table
  rule(
    'pays',
    'WARNING',
    'it names an address that money is sent to',
    /\b(?:0x[a-f0-9]{40}|bc1[a-z0-9]{25,60}|4[0-9AB][1-9A-HJ-NP-Za-km-z]{93})\b/,
  ),

  rule('searches-secrets', 'CRITICAL', 'it searches this machine for keys', /\bfind\s[^\n]{0,120}?-i?name\s{1,4}['"]?(?:\*?\.env\b|\*?\.pem\b|\*?\.key\b|id_\*|\*wallet|\*?\.kdbx?)|\b(?:grep|rg|ag)\s[^\n]{0,80}?(?:api_?key|secret|passwd|password|token|BEGIN[^\n]{0,12}?PRIVATE)[^\n]{0,60}?(?:~|\$HOME|\/home|\/etc|\/Users|\s\/(?:\s|$))|\bglob\w{0,4}\s{0,4}\([^\n]{0,60}?\*\*\/\.env/i), // biome-ignore format: a table
  rule('wipes', 'CRITICAL', 'it destroys what is not its own', /\brm\s+(?:-\w{1,6}\s+){1,3}(?:--no-preserve-root\s+)?['"]?(?:\/|~|\$HOME|\$\{HOME\}|\/\*|\*)['"]?\/?\*?(?:\s|$|;|&)|\bdd\s[^\n]{0,60}?of=\/dev\/(?:sd|nvme|disk|hd)|\bmkfs(?:\.\w{1,6})?\s|:\(\)\s{0,2}\{|shutil\.rmtree\s{0,4}\(\s{0,4}(?:os\.path\.expanduser|Path\.home|['"]\/['"])|\bformat\s+c:/i), // biome-ignore format: a table
  rule('locked-archive', 'CRITICAL', 'what is in an archive with a password is seen by nobody before it is opened here', /\bunzip\b[^\n]{0,60}?\s-P\s{0,4}\S|\b7z[arz]?\b\s+[ex]\b[^\n]{0,120}?\s-p\S|\bunrar\b\s+[ex]\b[^\n]{0,80}?\s-p\S|\bextractall\s{0,4}\([^\n]{0,80}?pwd\s{0,4}=|setpassword\s{0,4}\(|\bopenssl\s+enc\s[^\n]{0,80}?-d\b[^\n]{0,80}?-(?:k|pass)\s/i), // biome-ignore format: a table
  rule('sudo', 'INFO', 'it asks for the rights of root, which it does not have here', /(?:^|[\s;&|`])sudo\s/),
];
