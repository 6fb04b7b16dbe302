// Owns the programs whose options are known: which only change what is printed, which read a file, which write one. An
// option that is not here is asked about. Data only, of the GNU programs.

/**
 * `short`: letters; `#` after one: it takes a value, `<`: a file to read. `long`: names; `=#`, `=<` alike, `=?`: a value
 * only behind `=`. Every letter and name reads, prints or limits; none runs, writes or follows links out of a folder.
 */
export type Simple = {
  readonly short: string;
  readonly long?: string;
  /** what stands alone: files and folders, files only, text, first a pattern and then files, one file at most, files and then where to, … */
  readonly operands: 'read' | 'files' | 'text' | 'pattern' | 'one' | 'write' | 'copy' | 'move' | 'date';
  /** `-20` */
  readonly numbers?: true;
  /** with these options it goes through whole folders; true: always */
  readonly deep?: string | true;
};

const SUMS: Simple = { short: 'btz', long: 'binary text tag zero', operands: 'read' };

export const SIMPLE: Readonly<Record<string, Simple>> = {
  ls: {
    short: 'aAbBcCdfFgGhiklmnNopqQrRsStT#uUvw#xXZ1I#',
    long: 'all almost-all author escape ignore-backups color=? directory classify=? file-type full-time no-group human-readable si hide=# inode ignore=# kibibytes numeric-uid-gid literal quote-name quoting-style=# reverse recursive size sort=# time=# time-style=# tabsize=# width=# format=# group-directories-first indicator-style=# show-control-chars hide-control-chars zero',
    operands: 'read',
    deep: 'R recursive',
  },
  cat: {
    short: 'AbeEnstTuv',
    long: 'show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting',
    operands: 'read',
  },
  head: {
    short: 'c#n#qvz',
    long: 'bytes=# lines=# quiet silent verbose zero-terminated',
    operands: 'read',
    numbers: true,
  },
  tail: {
    short: 'c#n#qvz',
    long: 'bytes=# lines=# quiet silent verbose zero-terminated',
    operands: 'read',
    numbers: true,
  },
  grep: {
    short: 'EFGPivywxcLlqsonHhTUzZaIrbVe#f<m#A#B#C#',
    long: 'extended-regexp fixed-strings basic-regexp perl-regexp regexp=# file=< ignore-case no-ignore-case word-regexp line-regexp count color=? colour=? files-without-match files-with-matches max-count=# only-matching quiet silent no-messages byte-offset with-filename no-filename label=# line-number initial-tab null after-context=# before-context=# context=# text binary-files=# include=# exclude=# exclude-dir=# exclude-from=< recursive line-buffered null-data invert-match',
    operands: 'pattern',
    numbers: true,
    deep: 'r recursive',
  },
  wc: { short: 'clmwL', long: 'bytes chars lines words max-line-length total=#', operands: 'read' },
  cut: {
    short: 'b#c#d#f#nsz',
    long: 'bytes=# characters=# delimiter=# fields=# only-delimited output-delimiter=# complement zero-terminated',
    operands: 'read',
  },
  uniq: {
    short: 'cdDf#is#uw#z',
    long: 'count repeated all-repeated=? skip-fields=# group=? ignore-case skip-chars=# unique check-chars=# zero-terminated',
    operands: 'one',
  },
  tr: { short: 'cCdst', long: 'complement delete squeeze-repeats truncate-set1', operands: 'text' },
  sort: {
    short: 'bdfgihMnRrVcCmsuzk#t#S#',
    long: 'ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting human-numeric-sort month-sort numeric-sort random-sort reverse sort=# version-sort check=? merge stable unique zero-terminated key=# field-separator=# buffer-size=# parallel=#',
    operands: 'read',
  },
  nl: { short: 'b#d#f#h#i#l#n#ps#v#w#', operands: 'read' },
  tac: { short: 'brs#', long: 'before regex separator=#', operands: 'read' },
  rev: { short: '', operands: 'read' },
  fold: { short: 'bsw#', long: 'bytes spaces width=#', operands: 'read' },
  fmt: { short: 'cstup#w#g#', operands: 'read' },
  paste: { short: 'd#sz', long: 'delimiters=# serial zero-terminated', operands: 'read' },
  join: {
    short: 'a#e#ij#1#2#o#t#v#z',
    long: 'ignore-case check-order nocheck-order header zero-terminated',
    operands: 'read',
  },
  comm: { short: '123z', long: 'check-order nocheck-order output-delimiter=# total zero-terminated', operands: 'read' },
  column: { short: 'tc#s#o#x', operands: 'read' },
  expand: { short: 'it#', operands: 'read' },
  unexpand: { short: 'at#', operands: 'read' },
  od: { short: 'A#j#N#t#vabcdfilosx', operands: 'read' },
  hexdump: { short: 'bcCdn#os#vx', operands: 'read' },
  // It looks at the first letter of a word alone, so no option that takes a value is known here.
  xxd: { short: 'abeipu', operands: 'one' },
  base64: { short: 'diw#', long: 'decode ignore-garbage wrap=#', operands: 'read' },
  cmp: { short: 'bi#ln#s', long: 'print-bytes verbose quiet silent', operands: 'read' },
  diff: {
    short: 'uyqsiEZbwBacetNU#C#W#',
    long: 'unified=? context=? brief report-identical-files side-by-side ignore-case ignore-all-space ignore-space-change ignore-blank-lines text color=? new-file minimal width=# label=#',
    operands: 'files',
  },
  stat: { short: 'tc#', long: 'format=# printf=# terse', operands: 'read' },
  du: {
    short: 'abchkmsxSd#0',
    long: 'all apparent-size bytes total max-depth=# human-readable summarize one-file-system separate-dirs si exclude=#',
    operands: 'read',
    deep: true,
  },
  file: { short: 'bikN', long: 'brief mime mime-type mime-encoding', operands: 'read' },
  md5sum: SUMS,
  sha1sum: SUMS,
  sha256sum: SUMS,
  sha512sum: SUMS,
  b2sum: SUMS,
  cksum: { short: '', operands: 'read' },
  echo: { short: 'neE', operands: 'text' },
  printf: { short: '', operands: 'text' },
  pwd: { short: 'LP', operands: 'text' },
  true: { short: '', operands: 'text' },
  false: { short: '', operands: 'text' },
  basename: { short: 'as#z', long: 'multiple suffix=# zero', operands: 'text' },
  dirname: { short: 'z', long: 'zero', operands: 'text' },
  seq: { short: 'f#s#w', long: 'format=# separator=# equal-width', operands: 'text' },
  sleep: { short: '', operands: 'text' },
  id: { short: 'agGnruz', operands: 'text' },
  whoami: { short: '', operands: 'text' },
  uname: { short: 'asnrvmpio', operands: 'text' },
  nproc: { short: '', long: 'all ignore=#', operands: 'text' },
  which: { short: 'a', operands: 'text' },
  date: { short: 'uRd#I', long: 'utc date=# iso-8601=? rfc-3339=# rfc-email universal', operands: 'date' },
  mkdir: { short: 'pvm#', long: 'parents verbose mode=#', operands: 'write' },
  rmdir: { short: 'pv', operands: 'write' },
  touch: { short: 'acmd#t#r<', long: 'no-create date=# time=# reference=<', operands: 'write' },
  rm: { short: 'fiIrRdv', long: 'force recursive dir verbose', operands: 'write' },
  tee: { short: 'aip', long: 'append', operands: 'write' },
  cp: { short: 'finuvp', long: 'force interactive no-clobber update verbose', operands: 'copy' },
  mv: { short: 'finuv', long: 'force interactive no-clobber update verbose', operands: 'move' },
};

/** What find may ask and print, and how many words each takes; what runs, deletes, writes or follows links is not here. */
export const FIND: ReadonlyMap<string, 0 | 1> = new Map([
  ...`-print -print0 -ls -empty -prune -true -false -depth -mount -xdev -not ! -a -and -o -or ( ) , -readable
    -writable -executable -quit`
    .split(/\s+/)
    .map((word) => [word, 0] as const),
  ...`-name -iname -path -ipath -wholename -regex -iregex -regextype -type -maxdepth -mindepth -size -mtime -mmin
    -atime -amin -ctime -cmin -perm -user -group -uid -gid -links -printf`
    .split(/\s+/)
    .map((word) => [word, 1] as const),
]);

/** The scripts of sed that only choose or replace lines: none that reads, writes or runs. */
export const PLAIN_SED: readonly RegExp[] = [
  /^(\d+|\$)(,(\d+|\$|\+\d+))?[pdq]$/,
  /^\/[^/\\\n]*\/(,\/[^/\\\n]*\/)?[pd]$/,
  /^s\/[^/\\\n]*\/[^/\\\n]*\/[gpiI0-9]*$/,
  /^s\|[^|\\\n]*\|[^|\\\n]*\|[gpiI0-9]*$/,
];

/** Interpreters of which the first word is the file that they run; of the others it may be code, or a command of theirs. */
export const SCRIPTED: readonly string[] = `sh bash dash ash zsh ksh node nodejs tsx ts-node python pypy perl ruby
  php lua luajit Rscript`.split(/\s+/);

/** Commands of programs that are in the list of INTERPRETERS or RUNNERS; every other use of them is asked about. */
export const RUNNER_WORDS: Readonly<Record<string, readonly string[]>> = {
  git: `status log diff show branch blame ls-files rev-parse shortlog describe tag add commit restore switch
    checkout stash mv rm merge init reset cat-file`.split(/\s+/),
  npm: ['test', 't', 'run', 'start', 'ls', 'ci', 'outdated', 'version'],
  yarn: ['test', 'run', 'start'],
  pnpm: ['test', 'run', 'start', 'ls'],
  cargo: ['build', 'check', 'test', 'fmt', 'clippy', 'tree'],
  go: ['build', 'test', 'vet', 'fmt', 'version', 'list'],
};
/** Also abbreviated: git takes `--upload-p`. */
export const RISKY_OPTIONS: readonly string[] = `--config --config-env --exec --exec-path --upload-pack
  --receive-pack --ext-diff --textconv --output --open-files-in-pager --template --git-dir --work-tree
  --separate-git-dir --editor --edit --toolexec --exec-prefix --ldflags --gcflags --overlay --modfile --prefix
  --script-shell --node-options --userconfig --globalconfig --target-dir --manifest-path --gpg-sign --strategy
  --file --pathspec-from-file --no-index --contents --ignore-revs-file --exclude-from --filters --shared`.split(/\s+/);
