// Owns the budgets of what is shipped and of what it is made from: packages, bytes, scripts, licences, lines. It looks
// at the built dist/ and at the lock file, so a dependency that creeps in is seen on the day it does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { pack, stage } from '../../scripts/pack.ts';
import { parseFile, readFiles } from '../architecture/source-file.ts';
import { REPO } from '../support/gateway.ts';
import { budgetTable, median } from '../support/measure.ts';

type Locked = {
  version?: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  hasInstallScript?: boolean;
};
type Component = {
  name: string;
  version: string;
  licenses: [{ license?: { id: string }; expression?: string }];
  hashes: object[];
};

const lock = (JSON.parse(readFileSync(join(REPO, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> })
  .packages;
const budget = budgetTable('what is shipped');
const DIST = join(REPO, 'dist');
/** spec: what may be inside what we hand on. MPL only as one of a choice, never alone. */
const ALLOWED = new Set(['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'MIT-0', '0BSD', 'BlueOak-1.0.0']);

const isAllowed = (licence: string): boolean =>
  licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => ALLOWED.has(one)));

const shipped = (): string[] => readFileSync(join(DIST, '.files'), 'utf8').trim().split('\n');
const sbom = (): Component[] =>
  (JSON.parse(readFileSync(join(DIST, 'sbom.json'), 'utf8')) as { components: Component[] }).components;

beforeAll(() => {
  expect(existsSync(join(DIST, '.stamp')), 'dist/ must be built: npm run build').toBe(true);
});

describe('the tarball', () => {
  test('is small, complete and needs no other package', () => {
    const folder = stage();
    try {
      const packed = pack(folder);
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
      expect(manifest['dependencies']).toBeUndefined();
      expect(manifest['scripts']).toBeUndefined();
      expect(manifest['private']).toBeUndefined();
      budget('published package, unpacked', packed.unpackedSize / 1e6, 40, 'MB');
      budget('published package, packages installed with it', 1, 65, '');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('runs where nothing else is installed', () => {
    const folder = stage();
    const home = mkdtempSync(join(tmpdir(), 'hardshell-pack-home-'));
    try {
      const run = spawnSync(process.execPath, [join(folder, 'bin', 'openclaw.cjs'), 'gateway', '--help'], {
        env: { PATH: '/usr/bin:/bin', HOME: home },
        encoding: 'utf8',
        timeout: 20_000,
      });
      expect(run.stderr).toBe('');
      expect(run.stdout).toContain('run');
      expect(run.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe('the bundle', () => {
  test('imports nothing but Node and itself', () => {
    const files = shipped().filter((name) => name.endsWith('.mjs'));
    expect(files.length).toBeGreaterThan(1);
    const foreign = files.flatMap((name) =>
      parseFile(`dist/${name}`, readFileSync(join(DIST, name), 'utf8'))
        .imports.map((one) => one.from)
        .filter((from) => !from.startsWith('.') && !from.startsWith('node:') && !builtinModules.includes(from))
        .map((from) => `${name} imports ${from}`),
    );
    expect(foreign).toEqual([]);
  });

  test('carries the licence text of every package inside it, each under an allowed licence', () => {
    const notices = readFileSync(join(DIST, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const one of sbom()) {
      const licence = one.licenses[0].expression ?? one.licenses[0].license?.id ?? '';
      expect(isAllowed(licence), `${one.name} is under ${licence}`).toBe(true);
      expect(notices).toContain(`${one.name} ${one.version} (${licence})`);
      expect(one.hashes).not.toEqual([]);
    }
    budget('packages bundled', sbom().length, 65, '');
  });

  test('the licence rule refuses what it must', () => {
    expect(isAllowed('(MPL-2.0 OR Apache-2.0)')).toBe(true);
    expect(isAllowed('GPL-3.0')).toBe(false);
    expect(isAllowed('MIT AND GPL-3.0')).toBe(false);
    expect(isAllowed('Unlicense')).toBe(false);
  });
});

describe('the lock file', () => {
  const entries = Object.entries(lock).filter(([where]) => where !== '');

  test('has no package with an install script that would run', () => {
    // fsevents (macOS only, of vite) declares one; with ignore-scripts nothing runs, and on Linux it is not installed.
    const scripts = entries.filter(([, one]) => one.hasInstallScript && !one.optional).map(([where]) => where);
    expect(scripts).toEqual([]);
    expect(readFileSync(join(REPO, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
    budget('install scripts', scripts.length, 0, '');
  });

  test('pins every package by integrity and names no registry', () => {
    expect(entries.filter(([, one]) => !one.integrity).map(([where]) => where)).toEqual([]);
    expect(readFileSync(join(REPO, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });

  test('lists every package that an install asks for, on any system, so that npm ci accepts it', () => {
    const wanted = entries.flatMap(([where, one]) =>
      Object.keys((one as { optionalDependencies?: object }).optionalDependencies ?? {}).map((name) => ({
        where,
        name,
      })),
    );
    expect(wanted.length).toBeGreaterThan(10);
    const missing = wanted.filter(
      ({ where, name }) => !lock[`node_modules/${name}`] && !lock[`${where}/node_modules/${name}`],
    );
    expect(missing).toEqual([]);
  });

  test('the program is made from few packages', () => {
    const production = entries.filter(([, one]) => !one.dev && !one.optional && !one.devOptional);
    // All channels in one tree; whoever installs the published package installs none of them.
    budget('production tree of the sources', production.length, 80, 'packages');
    for (const [where, one] of production) {
      const isIn = sbom().some((component) => where.endsWith(`node_modules/${component.name}`));
      if (isIn) expect(isAllowed(one.license ?? ''), `${where} is under ${one.license}`).toBe(true);
    }
  });
});

describe('the sources', () => {
  test('stay readable: lines of code in all, and the length of the median file', () => {
    const files = readFiles(REPO, 'src').filter((file) => !file.path.endsWith('.test.ts'));
    const code = files.map((file) => file.text.split('\n').filter(isCode).length);
    budget(
      'source, comments and blank lines aside',
      code.reduce((a, b) => a + b, 0),
      69_000,
      'lines',
    );
    budget('median source file', median(files.map((file) => file.lines)), 120, 'lines');
  });
});

const isCode = (line: string): boolean => !/^\s*(\/\/|\/\*|\*|$)/.test(line);

test('the page is small', () => {
  const scripts = shipped().filter((name) => name.startsWith('ui/') && name.endsWith('.js'));
  expect(scripts.length, 'scripts in the built page').toBeGreaterThan(0);
  const bytes = scripts.map((name) => gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length);
  budget('JavaScript of the page, gzip', bytes.reduce((a, b) => a + b, 0) / 1_000, 60, 'kB');
});
