/** What `npm pack` makes of a package, and what must be in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './run.ts';

/** Folders below packages/, the library first. */
export const PACKAGES = ['events-sdk', 'cli'] as const;

/** A packed package. */
export interface Tarball {
  readonly path: string;
  readonly file: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** What every tarball carries for people. */
const FOR_PEOPLE = ['LICENSE', 'README.md', 'package.json'];
/** Made for this repository, of no use elsewhere. */
const NOT_FOR_STRANGERS = /^(?:src|test|scripts)\/|\.d\.ts\.map$|\.tsbuildinfo$|tsconfig/;

/** Packs the package of `folder` into `destination`. Throws when the tarball lacks something or carries too much. */
export async function pack(folder: string, destination: string): Promise<Tarball> {
  const answer = await run('npm', ['pack', '--json', '--pack-destination', destination], { cwd: folder });
  const { filename, files, size } = readAnswer(answer);
  const paths = files.map(({ path }) => path);

  const missing = [...FOR_PEOPLE, ...entriesOf(folder)].filter((path) => !paths.includes(path));
  const superfluous = paths.filter((path) => NOT_FOR_STRANGERS.test(path));
  const unpublishable = workspaceRanges(folder);
  const complaints = [
    ...missing.map((path) => `lacks ${path}`),
    ...superfluous.map((path) => `carries ${path}`),
    ...unpublishable.map((name) => `depends on ${name} by a range only this repository understands`),
  ];
  if (complaints.length > 0) throw new Error(complaints.map((each) => `${filename} ${each}`).join('\n'));
  return { path: join(destination, filename), file: filename, files: paths, bytes: size };
}

interface PackAnswer {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
  readonly size: number;
}

/** npm answers a list up to version 11 and an object by name in later ones. */
function readAnswer(text: string): PackAnswer {
  const [first] = Object.values(JSON.parse(text) as Record<string, PackAnswer>);
  if (first === undefined) throw new Error('npm packed nothing.');
  return first;
}

interface PackageJson {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function readPackage(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
}

/** Every file package.json sends somebody to. */
function entriesOf(folder: string): readonly string[] {
  const { exports, bin = {} } = readPackage(folder);
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  return [...targets, ...Object.values(bin)].map((path) => path.replace(/^\.\//, ''));
}

/** npm leaves `workspace:` as it stands, and then nobody can install the tarball. In devDependencies it harms nobody. */
function workspaceRanges(folder: string): readonly string[] {
  const { dependencies, peerDependencies, optionalDependencies } = readPackage(folder);
  return Object.entries({ ...dependencies, ...peerDependencies, ...optionalDependencies })
    .filter(([, range]) => range.startsWith('workspace:'))
    .map(([name]) => name);
}
