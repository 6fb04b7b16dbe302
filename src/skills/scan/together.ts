// Owns what the lines of a file amount to together: fetched here and run there, read here and sent there. Each by itself is
// what honest skills do every day.
import { lineAt } from './reading.ts';
import type { Add, ScannedText } from './rule.ts';

const KEYS = /(?<![\w-])\.env(?![\w.(]|\.example)|\benviron\b(?!\s{0,2}(?:\[|\.get\b|\.setdefault))|\bprintenv\b|\benv\s{0,3}(?:\||>)|JSON\.stringify\s{0,2}\(\s{0,2}process\.env\b|Object\.(?:entries|keys|assign)\s{0,2}\([^)\n]{0,20}process\.env\b|os\.environ\s{0,2}(?:\)|\.items|\.copy)|\bdict\s{0,2}\(\s{0,2}os\.environ|Get-ChildItem\s{1,3}env:|declare\s+-x|\bexport\s+-p\b|\.ssh\/(?!known_hosts)|\bid_(?:rsa|ed25519)\b|\*\.(?:pem|key|kdbx?|p12|pfx|ovpn)\b|\.aws\/credentials|\.openclaw\b|\.netrc\b/i; // biome-ignore format: one list
const SENDS = /\bcurl\b[^\n]{0,300}?(?:\s-(?:d|F|T)\b|\s-X\s{0,2}(?:POST|PUT)|--(?:data|form|upload-file|json|request\s+(?:POST|PUT)))|\bwget\b[^\n]{0,200}?--(?:post|body)|\b(?:requests|httpx|session|client|axios|got|ky|superagent)\s{0,2}\.\s{0,2}(?:post|put|patch|request)\b|\burlopen\s{0,2}\(|\bmethod\s{0,2}[:=]\s{0,2}['"](?:POST|PUT|PATCH)|\bfetch\s{0,2}\(\s{0,2}[^)\n]{0,120}?(?:\+|\$\{|encodeURIComponent)|\bsendBeacon\b|\b(?:nc|ncat|netcat)\s|\bscp\s|\brsync\s[^\n]{0,120}?@|\bsmtplib\b|\bftplib\b|\bsocket\.socket\b|\bnet\.(?:connect|createConnection)|Invoke-(?:WebRequest|RestMethod)[^\n]{0,160}?-Method\s+(?:Post|Put)|\bhttps?\.request\s{0,2}\(|\bNet::HTTP|\bfile_get_contents\s{0,2}\(\s{0,2}['"]http|\bcurl\b[^\n]{0,200}?(?:\$\(|`|\$\{?\w{0,20}(?:ENV|KEY|SECRET|DATA|TOKENS?)\w{0,10}\}?\S{0,3}['"]?$)/i; // biome-ignore format: one list
const FETCHES = /\b(?:curl|wget)\b|\b(?:requests|httpx|axios|got|ky)\s{0,2}\.\s{0,2}get\b|\burl(?:open|retrieve)\b|\bURI\.open\b|\bgetstore\b|\bhttp\.Get\s{0,2}\(|\bfetch\s{0,2}\(|\bhttps?\.get\s{0,2}\(|\bInvoke-(?:WebRequest|RestMethod)\b|\bLWP::|\bNet::HTTP|\bopen-uri\b/i; // biome-ignore format: one list
const RUNS_TEXT = /(?<![\w.$])(?:exec|eval)\s{0,2}\(\s{0,2}(?!['"`)])|\bnew\s+Function\s{0,2}\(|\bvm\.(?:runIn|Script)|\bcompile\s{0,2}\([^\n]{0,80}?['"]exec['"]|\bimportlib\.util\.(?:spec_from|module_from)|\b(?:eval|source|\.)\s+"?\$\w/i; // biome-ignore format: one list
const SEES =
  /\bpyautogui\.screenshot|\bImageGrab\b|\bscreencapture\b|\bmss\.mss\b|\bpyperclip\b|\bpbpaste\b|\bxclip\b[^\n]{0,40}?-o\b|Get-Clipboard/i;
const SHELLS =
  /\b(?:spawn|exec|execSync|execFile|Popen|system|subprocess\.\w{1,12})\s{0,2}\(\s{0,2}\[?\s{0,2}['"`](?:\/bin\/)?(?:ba|z)?sh\b|cmd\.exe/i;
const EXECUTABLE =
  /\bchmod\b[^\n]{0,40}?(?:\+x|\b0?o?7[0-7]{2}\b)|\b(?:os|fs|File|FileUtils)\.chmod|\bchmodSync\b|setExecutable/i;
const SOCKETS =
  /require\s{0,2}\(\s{0,2}['"](?:node:)?net['"]|from\s{1,3}['"](?:node:)?net['"]|\bnet\.(?:connect|Socket|createConnection)|\bsocket\.socket\s{0,2}\(|\bnew\s+WebSocket\s{0,2}\(/i;
const DECODES = /\batob\s{0,2}\(|Buffer\.from\s{0,2}\([^\n)]{0,2000}?,\s{0,3}['"](?:base64|hex)['"]|b(?:64|32|85)decode|a85decode|unhexlify|fromhex|fromCharCode|zlib\.decompress|gzinflate|base64\s+(?:-d|-D|--decode)/i; // biome-ignore format: one list
const STARTS =
  /\b(?:child_process|execSync|spawnSync|subprocess|os\.(?:system|popen|exec\w{1,3}|startfile)|Popen|pty\.spawn)\b/;

export function togetherIn(texts: readonly ScannedText[], add: Add): void {
  for (const one of texts) {
    const { path, text, isScript } = one;
    const both = (first: RegExp, second: RegExp, id: string, why: string): void => {
      const [a, b] = [first.exec(text), second.exec(text)];
      if (a && b)
        add(path, lineAt(text, a.index), id, 'CRITICAL', `${around(text, a.index)} … ${around(text, b.index)}`, why);
    };
    saveAndRun(one, add);
    packageScripts(one, add);
    if (isScript) {
      both(KEYS, SENDS, 'sends-keys', 'it reads keys, or everything that is set, and sends something out');
      both(SEES, SENDS, 'sends-screen', 'it takes pictures of the screen or the clipboard, and sends something out');
      both(RUNS_TEXT, FETCHES, 'run-fetched', 'it fetches something and runs text as a program');
      both(FETCHES, EXECUTABLE, 'save-and-run', 'it fetches something and makes it a program');
      both(SOCKETS, SHELLS, 'reverse-shell', 'it starts a shell and opens a connection');
      both(RUNS_TEXT, DECODES, 'decode-and-run', 'it runs what is spelled so that nobody can read it');
      both(DECODES, STARTS, 'decode-and-start', 'it decodes something and starts programs');
    } else both(/(?:^|\n)[^\n]{0,200}(?<![\w-])(?:cat|source|read|open|print|base64|cp)\s[^\n]{0,80}\.env(?![\w.(])/i, SENDS, 'sends-keys', 'it has keys read, and something sent out'); // biome-ignore format: one thought
  }
  // Split over two files, one reads and the other sends.
  const scripts = texts.filter(({ isScript }) => isScript);
  const [reads, sends] = [KEYS, SENDS].map((words) => scripts.find(({ text }) => words.test(text)));
  if (reads && sends && reads !== sends)
    add(reads.path, lineAt(reads.text, KEYS.exec(reads.text)?.index ?? 0), 'sends-keys', 'WARNING', around(reads.text, KEYS.exec(reads.text)?.index ?? 0), `it reads keys, and ${sends.path} sends something out`); // biome-ignore format: one thought
}

const SAVED = /\b(?:curl|wget|iwr|Invoke-WebRequest)\b[^\n]{0,300}?(?:\s-\w{0,6}[oO]|--output(?:-document)?|>|-OutFile)[ =]{0,2}['"]?(?!https?:)([^\s'";|&-][^\s'";|&]{1,160})|\burlretrieve\s{0,2}\([^\n]{0,200}?,\s{0,2}['"]([^'"\n]{1,160})|\b(?:wget\b|curl\s[^\n]{0,80}?-\w{0,6}O\b)[^\n|>]{0,200}?https?:\/\/[^\s'"]{1,300}?\/([\w.-]{2,80})['"]?\s{0,4}$/gim; // biome-ignore format: one list
const WITHIN_CHARS = 1_200;
const MAX_SAVED = 200;

/** A file that is fetched in one line and run in a later one. */
function saveAndRun({ path, text }: ScannedText, add: Add): void {
  for (const match of text.matchAll(SAVED).take(MAX_SAVED)) {
    const name = (match[1] ?? match[2] ?? match[3] ?? '').split('/').pop() ?? '';
    if (name.length < 2 || /\.(?:json|csv|txt|md|png|jpe?g|pdf|html?|xml|ya?ml|mp[34]|ics|vtt|srt)$/i.test(name))
      continue;
    const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const runs = RegExp(`(?:chmod\\s+(?:[0-7]{3,4}|\\S{0,6}\\+\\S{0,3}x)\\s[^\\n]{0,80}?|(?:^|[\\s;&|"'(])(?:ba|z|da)?sh\\s[^\\n]{0,40}?|\\bpython\\d?\\s[^\\n]{0,40}?|\\bnode\\s|\\bopen\\s[^\\n]{0,20}?|\\bstart(?:-process)?\\s[^\\n]{0,20}?|\\bsource\\s|(?:^|[\\s;&|])\\.\\s[^\\n]{0,80}?|\\binstaller\\s[^\\n]{0,40}?|\\bhdiutil\\s[^\\n]{0,30}?|\\./|[/"'])${quoted}`, 'i'); // biome-ignore format: one pattern
    const after = text.slice(match.index + match[0].length, match.index + match[0].length + WITHIN_CHARS);
    if (runs.test(after.split('\n').slice(1).join('\n')))
      add(path, lineAt(text, match.index), 'save-and-run', 'CRITICAL', match[0], 'it fetches a file and runs it');
  }
}

/** What runs by itself when somebody installs the packages that come with a skill. */
function packageScripts({ path, text }: ScannedText, add: Add): void {
  const name = path.split('/').pop() ?? '';
  const found =
    name === 'package.json'
      ? /"(?:pre|post)?install"\s{0,3}:|"(?:pre)?prepare"\s{0,3}:/.exec(text)
      : name === 'setup.py'
        ? /cmdclass/.exec(text)
        : name.endsWith('.pth')
          ? /^import\s/m.exec(text)
          : null;
  if (found) add(path, lineAt(text, found.index), 'runs-on-install', 'WARNING', around(text, found.index), 'it runs by itself when its packages are installed'); // biome-ignore format: one thought
}

const around = (text: string, index: number): string => (text.slice(text.lastIndexOf('\n', index) + 1).split('\n')[0] ?? '').trim().slice(0, 70); // biome-ignore format: one thought
