// Owns the two papers that travel with a bundle: the licence texts of what is inside it, and the list of it as
// CycloneDX. Both are made from the packages on disk and the lock file, never from memory.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type BundledPackage = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** as the lock file has it: `sha512-<base64>` */
  readonly integrity: string;
  readonly licenceText: string;
};

type LockEntry = { version?: string; license?: string; integrity?: string };

/** The package folders (`node_modules/…`, relative to the repository) that own these modules. */
export function packagesOf(modules: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const module of modules) {
    const match = /(?:^|\/)((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)*node_modules\/(?:@[^/]+\/)?[^/?]+)(?:\/|$)/.exec(
      module.replaceAll('\0', '').replaceAll('\\', '/'),
    );
    if (match?.[1]) found.add(match[1]);
  }
  return [...found].sort();
}

export function describe(repo: string, folders: readonly string[]): BundledPackage[] {
  const lock = JSON.parse(readFileSync(join(repo, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  return folders.map((folder) => {
    const entry = lock.packages[folder];
    if (!entry?.version || !entry.license || !entry.integrity) {
      throw new Error(`${folder} is in the bundle, but package-lock.json has no version, licence and integrity of it`);
    }
    return {
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      licence: entry.license,
      integrity: entry.integrity,
      licenceText: licenceTextIn(join(repo, folder)),
    };
  });
}

/** Every licence and notice file at the top of the package. A package without one names its licence in words. */
function licenceTextIn(folder: string): string {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim())
    .join('\n\n');
}

export function noticesText(packages: readonly BundledPackage[]): string {
  const parts = packages.map((p) => {
    const body =
      p.licenceText === '' ? `(the package carries no licence file; its manifest says ${p.licence})` : p.licenceText;
    return `${p.name} ${p.version} (${p.licence})\n${'-'.repeat(72)}\n${body}\n`;
  });
  return `Hardshell contains the following packages, each under its own licence.\n\n${parts.join('\n\n')}`;
}

/** CycloneDX 1.6. No time and no random serial number: the same lock file gives the same bytes. */
export function sbom(product: { name: string; version: string }, packages: readonly BundledPackage[]): string {
  const components = packages.map((p) => {
    const purl = `pkg:npm/${p.name.replace('@', '%40')}@${p.version}`;
    return {
      type: 'library',
      'bom-ref': purl,
      name: p.name,
      version: p.version,
      licenses: [/ (OR|AND|WITH) /.test(p.licence) ? { expression: p.licence } : { license: { id: p.licence } }],
      purl,
      hashes: p.integrity.split(' ').map((one) => {
        const [algorithm, value] = one.split(/-(.*)/s) as [string, string];
        return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(value, 'base64').toString('hex') };
      }),
    };
  });
  const root = `pkg:npm/${product.name}@${product.version}`;
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidFrom(JSON.stringify(components))}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': root,
        name: product.name,
        version: product.version,
        licenses: [{ license: { id: 'MIT' } }],
        purl: root,
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((c) => c['bom-ref']) }],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function uuidFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
