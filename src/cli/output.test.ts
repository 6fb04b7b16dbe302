import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HardshellError } from '../platform/errors.ts';
import { createOutput, span } from './output.ts';

function open(options: { tty?: boolean; json?: boolean; env?: Record<string, string> } = {}) {
  const screen = () =>
    Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: options.tty ?? false, columns: 80 });
  const streams = { stdin: new PassThrough(), stdout: screen(), stderr: screen() };
  const out = createOutput(streams, options.env ?? {}, options.json ?? false);
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  return { out, stdout: () => read(streams.stdout), stderr: () => read(streams.stderr) };
}

const failure = new HardshellError({
  code: 'X_BROKEN',
  message: 'x is broken. y fell on it',
  fix: 'lift y',
  exitCode: 69,
});

describe('errors', () => {
  it('says what, why and what to do on stderr, and nothing on stdout', () => {
    const { out, stdout, stderr } = open();
    expect(out.fail(failure)).toBe(69);
    expect(stderr()).toBe('error: x is broken. y fell on it.\nfix: lift y\n');
    expect(stdout()).toBe('');
  });
  it('is one envelope on stdout with --json', () => {
    const { out, stdout, stderr } = open({ json: true });
    expect(out.fail(failure, { stateDir: '/s' })).toBe(69);
    expect(JSON.parse(stdout())).toEqual({
      ok: false,
      error: { code: 'X_BROKEN', message: 'x is broken. y fell on it', hint: 'lift y', details: { stateDir: '/s' } },
    });
    expect(stderr()).toBe('');
  });
  it('calls anything else a bug and exits 1', () => {
    const { out, stderr } = open();
    expect(out.fail(new TypeError('undefined is\nnot a function'))).toBe(1);
    expect(stderr()).toContain('error: this is a bug in openclaw: undefined is not a function.\nfix: ');
  });
  it('names the file and what is wrong with it, where a folder or a file refuses', () => {
    const { out, stderr } = open();
    const refused = Object.assign(new Error('EACCES: permission denied, scandir'), {
      code: 'EACCES',
      syscall: 'scandir',
    });
    expect(out.fail(Object.assign(refused, { path: '/s/x' }))).toBe(78);
    expect(stderr()).toMatch(/^error: cannot use \/s\/x: permission denied\.\nfix: /);
  });
  it('K04 escapes what a remote error says', () => {
    const { out, stderr } = open();
    out.fail(new HardshellError({ code: 'X', message: 'bad \u001b[2Jscreen' }));
    expect(stderr()).toBe('error: bad \\x1b[2Jscreen.\n');
  });
});

describe('colours', () => {
  it('appear on a terminal', () => {
    const { out, stdout } = open({ tty: true });
    out.line(span('red', 'no'), ' and \u001b[1m');
    expect(stdout()).toBe('\u001b[31mno\u001b[39m and \\x1b[1m\n');
  });
  it.each([[{ tty: false }], [{ tty: true, env: { NO_COLOR: '1' } }], [{ tty: true, env: { TERM: 'dumb' } }]])(
    'do not appear with %j',
    (options) => {
      const { out, stdout } = open(options);
      out.line(span('red', 'no'));
      expect(stdout()).toBe('no\n');
    },
  );
});

describe('--json', () => {
  it('reserves stdout for one envelope', () => {
    const { out, stdout } = open({ json: true });
    out.line('words for people');
    out.text('more');
    out.data({ title: 'a\u0085\u202eb' });
    const text = stdout();
    expect(text).toBe('{"ok":true,"data":{"title":"a\\u0085\\u202eb"}}\n');
    expect(JSON.parse(text)).toEqual({ ok: true, data: { title: 'a\u0085\u202eb' } });
  });
  it('prints no envelope without it', () => {
    const { out, stdout } = open();
    out.data({});
    expect(stdout()).toBe('');
  });
});
