// The matrix of the audit, thoroughly: each fix is executed as the command that is printed, one after the other; after each
// of them what it was about is gone, and nothing came in its place.
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/cli/main.ts';
import { newToken } from '../../src/platform/ids.ts';
import { FOR_PEOPLE, type Home, makeHome, ROWS, told, wordsOf } from '../support/audit-rows/audited.ts';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

/** A printed command, as in a shell: `A | B && C`, where A makes a random secret. */
async function execute(command: string): Promise<void> {
  for (const step of command.split(' && ')) {
    const [maker, verb = maker] = step.split(' | ');
    const [name, ...words] = wordsOf(verb ?? '');
    expect([command, name]).toEqual([command, 'openclaw']);
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    let said = '';
    for (const stream of [stdout, stderr])
      stream.on('data', (chunk) => {
        said += chunk;
      });
    const stdin = Readable.from(maker === verb ? [] : [newToken(32)]);
    expect([command, await run(words, home.env, { stdin, stdout, stderr }), said]).toEqual([command, 0, said]);
  }
}

test.each(ROWS)('red, fix, green: %s', async (_what, config, expected) => {
  home.write(config);
  let found = await home.audited();
  expect(told(found)).toEqual([...expected].sort());
  for (let left = found.length; left > 0; left -= 1) {
    const next = found.find(({ finding }) => !FOR_PEOPLE.test(finding.fix));
    if (next === undefined) break;
    const { fix, evidence } = next.finding;
    const before = found.length;
    await execute(fix);
    found = await home.audited();
    expect([fix, found.some(({ finding }) => finding.evidence === evidence)]).toEqual([fix, false]);
    expect(found.length).toBeLessThan(before);
  }
  expect(told(found.filter(({ finding }) => !FOR_PEOPLE.test(finding.fix)))).toEqual([]);
});
