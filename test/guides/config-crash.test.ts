// A change of the configuration, killed with -9 after every step: there is always a whole file, it is the old one or the
// new one, and the next start brings the change to its end (S152, S188).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settlePendingAtStart } from '../../src/config/edit/settle.ts';
import { loadForStart } from '../../src/config/load.ts';

const EDIT = join(import.meta.dirname, '..', '..', 'src', 'config', 'edit');
const OLD = `{\n  // mine\n  gateway: { port: 18789 },\n}\n`;
const NEW = OLD.replace('18789', '19000');

let stateDir = '';
let configPath = '';
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'hardshell-crash-'));
  configPath = join(stateDir, 'openclaw.json');
  writeFileSync(configPath, OLD, { mode: 0o600 });
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const content = (): string => readFileSync(configPath, 'utf8');

describe('kill -9', () => {
  // One process makes the change and is killed right after the named step.
  const script = `
    import { changeConfig } from ${JSON.stringify(join(EDIT, 'transaction.ts'))};
    import { setAt } from ${JSON.stringify(join(EDIT, 'edit.ts'))};
    const [stateDir, configPath, step, probe, confirm] = process.argv.slice(1);
    await changeConfig({
      paths: { stateDir, configPath, workspaceDir: stateDir + '/workspace' },
      env: {}, now: () => 1_000_000, by: 'child',
      ...(probe === 'none' ? {} : { probe: async () => (probe === 'good' ? { ok: true } : { ok: false, reason: 'bad' }) }),
      step: (name) => { if (name === step) process.kill(process.pid, 'SIGKILL'); },
    }, (text) => setAt(text, ['gateway', 'port'], 19_000), confirm === 'yes' ? { confirmWithinMs: 60_000 } : {});
  `;
  const run = (step: string, probe: string, confirm: string): void => {
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, stateDir, configPath, step, probe, confirm],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect([signal, stderr.replace(/.*(Warning|trace-warnings).*\n/g, '')]).toEqual(['SIGKILL', '']);
  };

  test.each([
    // a plain change: nothing to settle, the file is whole
    ['old-kept', 'none', 'no', OLD, 'none', OLD],
    ['written', 'none', 'no', NEW, 'none', NEW],
    ['new-kept', 'none', 'no', OLD, 'none', OLD],
    // one that is proved: before the proof the next start tries it, afterwards it stays
    ['pending-written', 'good', 'no', OLD, 'returned', OLD],
    ['old-kept', 'good', 'no', OLD, 'returned', OLD],
    ['written', 'good', 'no', NEW, 'prove', NEW],
    ['new-kept', 'good', 'no', OLD, 'returned', OLD],
    ['applied', 'good', 'no', NEW, 'prove', NEW],
    ['probed', 'good', 'no', NEW, 'prove', NEW],
    ['pending-dropped', 'good', 'no', NEW, 'none', NEW],
    ['probed', 'bad', 'no', NEW, 'prove', NEW],
    ['put-back', 'bad', 'no', OLD, 'none', OLD],
    // one that waits for a word
    ['written', 'good', 'yes', NEW, 'prove', NEW],
    ['waiting', 'good', 'yes', NEW, 'waiting', NEW],
  ])(
    'after "%s" (probe %s, confirm %s): a whole file, and the next start settles it',
    (step, probe, confirm, now, state, then) => {
      run(step, probe, confirm);
      expect(content()).toBe(now);
      expect(settlePendingAtStart({ stateDir, configPath }, 1_000_001).state).toBe(state);
      expect(content()).toBe(then);
      // Whatever it was, it comes to an end: proved, or returned by the next start.
      if (state === 'prove') {
        expect(settlePendingAtStart({ stateDir, configPath }, 1_000_001).state).toBe('returned');
        expect(content()).toBe(OLD);
      }
      if (state === 'waiting') {
        expect(settlePendingAtStart({ stateDir, configPath }, 1_060_000).state).toBe('returned');
        expect(content()).toBe(OLD);
      }
      expect(settlePendingAtStart({ stateDir, configPath }, 1_060_000)).toEqual({ state: 'none' });
      expect(loadForStart({ configPath, stateDir }, {}).config.gateway.port).toBe(content() === OLD ? 18_789 : 19_000);
    },
  );
});
