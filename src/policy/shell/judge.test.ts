// What the modes, the place, a grant and the list of interpreters make of a command, and that what runs is what was judged.
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, judged, LISTED, openShellPlace, type ShellPlace } from '../../../test/support/shell-place.ts';
import { INTERPRETERS, plainProgramName, RUNNERS, runsAnything, WRAPPERS } from '../../config/interpreters.ts';
import { isCovered } from './judge.ts';
import { namesIn } from './names.ts';
import { createResolve } from './resolve.ts';
import { FIND, RUNNER_WORDS, SIMPLE } from './simple-programs.ts';

let place: ShellPlace;
beforeAll(() => {
  place = openShellPlace();
});
afterAll(() => place.close());
const ruleOf = async (command: string, asked: Asked = {}) => (await judged(place, command, asked))?.rule ?? 'nothing';
const resolve = createResolve();
/** Of this thread alone: what else the machine does says nothing about us. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

describe('modes', () => {
  test.each<[string, Asked, string]>([
    ['rm -rf /', { mode: 'full' }, 'nothing'],
    ['sudo id', { mode: 'full' }, 'nothing'],
    ['ls', { mode: 'deny' }, 'deny'],
    ['ls', { mode: 'ask' }, 'ask'],
    ['sudo ls', { mode: 'ask' }, 'deny'],
    ['ls', { mode: 'deny', where: 'host' }, 'deny'],
    ['ls', { mode: 'ask', where: 'host' }, 'ask'],
    ['ls -la sub', { mode: 'allowlist', where: 'host' }, 'allow'],
    ['cat a.md', { mode: 'full', where: 'host' }, 'nothing'],
    ['id | cat > x', { mode: 'full', where: 'host' }, 'nothing'],
    ['sudo id', { mode: 'full', where: 'host' }, 'ask'],
    ['cat $(id)', { mode: 'full', where: 'host' }, 'ask'],
    ['python3 -c 1', { mode: 'full', where: 'host' }, 'ask'],
    ['openclaw config get x', { mode: 'full', where: 'host' }, 'deny'],
  ])('%s with %j: %s', async (command, asked, expected) => {
    expect(await ruleOf(command, asked)).toBe(expected);
  });

  test('left out: free in the box, and nothing on the host', async () => {
    const { judgeShell, shellRulesOf } = await import('./judge.ts');
    const { label } = await import('../../store/label.ts');
    const exec = { mode: undefined, allow: [], safeBins: [], strictInlineEval: true };
    const on = (where: 'sandbox' | 'host') =>
      judgeShell(
        label('owner', 'owner'),
        [{ kind: 'run', command: 'ls', cwd: '.', where }],
        shellRulesOf(exec, place.zones),
      );
    expect(await on('sandbox')).toEqual([]);
    expect(await on('host')).toMatchObject([{ rule: 'deny', code: 'HOST_EXEC_DENIED' }]);
  });

  test('an ask shows each risky part as it was written, and what would allow it', async () => {
    expect(await judged(place, 'cat a.md; id "$(touch F)"')).toMatchObject({
      rule: 'ask',
      code: 'COMMAND_NOT_LISTED',
      key: 'tools.exec.mode',
      marks: ['"$(touch F)"'],
    });
    const fix = `openclaw config set tools.exec.allow '["ls","cat","grep","head","tail","id"]'`;
    expect(await judged(place, 'cat a.md | id')).toMatchObject({ fix, marks: ['id'] });
    // A name that would be more than a word where a person pastes it is none to paste.
    expect(await judged(place, `cat a.md | "x'y"`)).toMatchObject({ rule: 'ask', fix: '' });
  });
});

describe('what runs is what was judged', () => {
  test.each<[string, string]>([
    ['cat a.md', "'/usr/bin/cat' 'a.md'"],
    ["cat 'it'\\''s'", "'/usr/bin/cat' 'it'\\''s'"],
    ['ls|head -n1;cat<a.md 2>&1', "'/usr/bin/ls' | '/usr/bin/head' '-n1'; '/usr/bin/cat' <'a.md' 2>&1"],
    ['! ls && cat <<< x', "! '/usr/bin/ls' && '/usr/bin/cat' <<<'x'"],
    ['cd sub && cat c.md', "cd './sub' && '/usr/bin/cat' 'c.md'"],
    ['command cat a.md', "'/usr/bin/cat' 'a.md'"],
    ['ls && : x', "'/usr/bin/ls' && :"],
    ["c\\\nat $'a.m\\x64'", "'/usr/bin/cat' 'a.md'"],
  ])('%j', async (command, runAs) => {
    expect(await judged(place, command)).toMatchObject({ rule: 'allow', runAs });
  });

  test('a link to a shell that is called like a listed program is no such program', () => {
    const folder = join(place.folder, 'bin');
    execFileSync('mkdir', ['-p', folder]);
    symlinkSync('/bin/sh', join(folder, 'cat'));
    const found = createResolve([folder], () => true)('cat');
    expect(found?.names).toContain(plainProgramName(found?.real ?? ''));
    expect(found?.names.length).toBe(2);
  });

  test('E22 a program in a folder that others may change is none', () => {
    expect(createResolve([place.workspace])('head')).toBeNull();
    expect(resolve('../bin/head')).toBeNull();
  });
});

describe('listed programs that run anything (S212)', () => {
  const allow = [
    'git',
    'npm',
    'node',
    'python3',
    'bash',
    'sed',
    'awk',
    'find',
    'env',
    'nice',
    'timeout',
    'cat',
    'ls',
    'mv',
    'cp',
    'diff',
    'du',
    'bc',
    'ed',
  ];
  test.each<[string, string]>([
    ['git status', 'allow'],
    ['git log --oneline', 'allow'],
    ['git commit -m words', 'allow'],
    ['git -c core.pager=id log', 'ask'],
    ['git --exec-path=. status', 'ask'],
    ['git diff --output=/x', 'ask'],
    ['git diff --outp=x', 'ask'],
    ['git clone ext::id', 'ask'],
    ['git config alias.x !id', 'ask'],
    ['git -C /etc status', 'ask'],
    ['git diff --no-index /etc/passwd a.md', 'ask'],
    ['python3 x.py', 'allow'],
    ['python3 x.py a.md', 'allow'],
    ['python3 x.py /etc/passwd', 'ask'],
    ['python3 -c 1', 'ask'],
    ['python3 -Ic 1', 'ask'],
    ['python3 -', 'ask'],
    ['python3', 'ask'],
    ['python3 /etc/x.py', 'ask'],
    ["bc 'x'", 'ask'],
    ['ed a.md', 'ask'],
    ['cat x.py | python3', 'ask'],
    ['bash x.sh', 'allow'],
    ['bash -xc id', 'ask'],
    ['bash < x.sh', 'ask'],
    ["sed -n '1,5p' a.md", 'allow'],
    ["sed 's/a/b/g' a.md", 'allow'],
    ["sed 's/a/id/e' a.md", 'ask'],
    ["sed -i 's/a/b/' a.md", 'ask'],
    ["sed 's/a/b/w x' a.md", 'ask'],
    ["sed '1r /etc/passwd' a.md", 'ask'],
    ["awk '{print}' a.md", 'ask'],
    ['find sub -name "*.md"', 'allow'],
    ['find sub -exec id {} +', 'ask'],
    ['find sub -fprint x', 'ask'],
    ['find -L sub', 'ask'],
    ['find / -name x', 'ask'],
    ['env cat a.md', 'allow'],
    ['env LANG=C cat a.md', 'allow'],
    ['env LD_PRELOAD=x cat a.md', 'ask'],
    ['env -S "id" cat', 'ask'],
    ['env -C / cat etc/passwd', 'ask'],
    ['nice -n 5 cat a.md', 'allow'],
    ['timeout -k 1 5 cat a.md', 'allow'],
    ['timeout 5 id', 'ask'],
    ['timeout 5 cat /etc/passwd', 'ask'],
    ['nice env timeout 5 bash -c id', 'ask'],
    ['mv a.md z.md', 'allow'],
    ['mv sub z && cat z/x', 'ask'],
    ['mv link z', 'ask'],
    ['cp a.md sub', 'allow'],
    ['cp link z', 'ask'],
    ['cp -r sub z', 'ask'],
    ['cp a.md /tmp/x', 'ask'],
    ['diff a.md b.txt', 'allow'],
    ['diff . sub', 'ask'],
    ['diff a.md sub', 'ask'],
    ['du sub', 'allow'],
    ['du', 'ask'],
  ])('%s: %s', async (command, expected) => {
    expect(await ruleOf(command, { allow })).toBe(resolve(command.split(' ')[0] ?? '') ? expected : 'ask');
  });

  test('without strictInlineEval, code in an argument of a listed program is not asked about', async () => {
    expect(await ruleOf('bash -c id', { allow, strictInlineEval: false })).toBe('allow');
    expect(await ruleOf('bash -c /etc/x', { allow, strictInlineEval: false })).toBe('ask');
  });

  test('no program with a table of harmless options is one that runs anything, and each special word is of one that is', () => {
    for (const name of Object.keys(SIMPLE)) expect(runsAnything(name), name).toBe(false);
    for (const name of Object.keys(RUNNER_WORDS)) expect(RUNNERS).toContain(name);
    for (const name of ['-exec', '-execdir', '-ok', '-okdir', '-delete', '-fprint', '-fprintf', '-fls', '-follow'])
      expect(Object.hasOwn(FIND, name)).toBe(false);
    expect(INTERPRETERS).toContain('bash');
    expect(WRAPPERS).toContain('find');
  });
});

describe('always', () => {
  test('covers exactly these words, here and nowhere else', async () => {
    const verdict = await judged(place, "git  status 'a b' | head", { mode: 'ask' });
    if (verdict?.rule !== 'ask') throw new Error('it was not asked about');
    const pattern = verdict.always?.pattern ?? '';
    expect(verdict.always).toMatchObject({ kind: 'exec', shown: expect.stringContaining('with no other arguments') });
    const covers = (command: string, more: { cwd?: string; where?: 'host' } = {}) =>
      isCovered({ kind: 'run', command, cwd: '.', where: 'sandbox', ...more }, [pattern], resolve);
    expect(await covers('git status a\\ b|head')).toBe(true);
    expect(await covers('/usr/bin/git status "a b" | head')).toBe(true);
    expect(await covers('git status a b | head')).toBe(false);
    expect(await covers("git status 'a b' | head -n5")).toBe(false);
    expect(await covers("git status 'a b' | head; id")).toBe(false);
    expect(await covers("git status 'a b' | head > x")).toBe(false);
    expect(await covers("X=1 git status 'a b' | head")).toBe(false);
    expect(await covers("git status 'a b' | head", { cwd: 'sub' })).toBe(false);
    expect(await covers("git status 'a b' | head", { where: 'host' })).toBe(false);
  });

  test.each<[string, Asked]>([
    ['bash -c id', {}],
    ['python3 -c 1', {}],
    ["awk 'BEGIN{system(1)}'", {}],
    ["sed '1e id' a.md", {}],
    ['cat x | sh', {}],
    ['cat $(id)', {}],
    ['cat *', {}],
    ['ls | xargs rm', {}],
    ['find . -exec rm {} +', {}],
    ['id', { where: 'host', integrity: 'untrusted' }],
  ])('is not offered for %s %j', async (command, asked) => {
    expect(await judged(place, command, { mode: 'ask', ...asked })).not.toHaveProperty('always');
  });
});

describe('what a yes is bound to', () => {
  test.each<[string, readonly string[], readonly string[], boolean]>([
    ['python3 x.py --in=a.md | head', ['python3', 'head'], ['x.py', 'a.md'], true],
    ['timeout 5 nice bash x.sh', ['timeout', 'nice', 'bash'], ['x.sh'], true],
    ["bash -c 'python3 x.py'", ['bash', 'python3'], ['x.py'], true],
    ['if ls; then node x.js; fi', ['ls', 'node'], ['x.js'], false],
    ['cat $(node x.js)', ['cat', 'node'], ['x.js'], false],
    ['$X x.py', [], ['x.py'], false],
    ['ls | xargs rm', ['ls', 'xargs', 'rm'], [], false],
    ['cat < a.md > b.txt', ['cat'], ['a.md', 'b.txt'], true],
    ['PATH=bin:/usr/bin tool a.md', ['tool'], ['a.md'], false],
    ['env LD_PRELOAD=./x.so cat a.md', ['cat'], ['a.md'], false],
    ['LC_ALL=C TZ=UTC sort a.md', ['sort'], ['a.md'], true],
  ])('%s', async (command, programs, files, isBindable) => {
    const names = await namesIn(command);
    expect(names.programs).toEqual(expect.arrayContaining([...programs]));
    expect(names.files).toEqual(expect.arrayContaining([...files]));
    expect(names.isBindable).toBe(isBindable);
  });
});

describe('time', () => {
  test('p99 of a judgement of an ordinary command is below a millisecond', async () => {
    const commands = [
      'ls -la sub',
      'cat a.md | grep -n alpha | head -n5',
      'cd sub && cat c.md',
      'cat $(id)',
      'git status',
    ];
    const times: number[] = [];
    for (let at = 0; at < 2_000; at += 1) {
      const start = cpuMs();
      await judged(place, commands[at % commands.length] ?? 'ls');
      if (at >= 500) times.push(cpuMs() - start);
    }
    times.sort((a, b) => a - b);
    expect(times[Math.floor(times.length * 0.5)]).toBeLessThan(1);
    // A collection of garbage, or a clock that counts in larger steps, may fall into one.
    expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(5);
  });

  test.each([
    ['$(', ')'],
    ['`', '`'],
    ['${x:-', '}'],
    ['"$(', ')"'],
    ['((', '))'],
    ['$((', '))'],
    ['<(', ')'],
    ['{a,', '}'],
    ['@(', ')'],
    ['[[ ', ' ]]'],
    ['if ', '; fi'],
    ['case a in a) ', ';; esac'],
    ['f(){ ', '; }'],
    ['ls;', ''],
    ['ls|', ''],
    ['\\', ''],
    ['\\\n', ''],
    ['<<E ', '\nE'],
    ['a ', ''],
    ['/a;', ''],
    ["bash 'a b' ", ''],
    ["$'", "'"],
    ['a=(', ')'],
    ['x[', ']'],
    ['!', ''],
    ['/*', ''],
    ['../', ''],
    ['-', ''],
  ])('64 kB of %j take less than a second of work', async (open, close) => {
    const count = Math.floor(64_000 / (open.length + close.length + 1));
    for (const command of [
      open.repeat(count),
      `${open.repeat(count)}x${close.repeat(count)}`,
      `cat ${open.repeat(count)}`,
    ]) {
      const start = cpuMs();
      await judged(place, command.slice(0, 65_000));
      await namesIn(command.slice(0, 65_000));
      expect(cpuMs() - start).toBeLessThan(1_000);
    }
  });
});

test('the table of tests knows the five programs of the guides', () => {
  expect(LISTED).toEqual(['ls', 'cat', 'grep', 'head', 'tail']);
});
