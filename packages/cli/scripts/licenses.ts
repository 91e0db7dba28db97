/** The licences of what is bundled: whoever gets a copy of that code has to get those too. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** A package whose code is in the bundle. */
interface Bundled {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/** The text that stands beside the bundle; `inputs` are the bundled files. Throws when one has no licence to show. */
export async function thirdPartyLicenses(inputs: readonly string[], ownRoots: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((file) => packageFolderOf(file, ownRoots) ?? []));
  const packages = await Promise.all([...folders].map(readBundled));
  const byName = new Map(packages.map((each) => [`${each.name} ${each.version}`, each] as const));
  const sections = await Promise.all(
    [...byName.keys()].toSorted().map(async (title) => {
      const { folder, license } = byName.get(title) as Bundled; // a key of this very map
      return `${title} (${license})\n\n${(await licenseText(folder)).trim()}\n`;
    }),
  );
  return `This program contains code of these packages.\n\n${sections.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The nearest folder above `file` whose package.json names a package; undefined inside our own. */
function packageFolderOf(file: string, ownRoots: readonly string[]): string | undefined {
  const path = resolve(file);
  if (!path.includes('node_modules') && ownRoots.some((root) => path.startsWith(root))) return undefined;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
    // Packages keep a package.json of their own inside, for the kind of module: it has no licence beside it.
    if (existsSync(join(folder, 'package.json')) && /node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+$/.test(folder))
      return folder;
  throw new Error(`${file} belongs to no package.`);
}

async function readBundled(folder: string): Promise<Bundled> {
  // A package that is installed: npm has read this file before us.
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Bundled;
  return { folder, name, version, license };
}

async function licenseText(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(name));
  if (names.length === 0) return await fromReadme(folder);
  return (await Promise.all(names.toSorted().map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

/** Some packages have their licence at the end of the page about them. */
async function fromReadme(folder: string): Promise<string> {
  const page = (await readdir(folder)).find((name) => /^readme\.md$/i.test(name));
  const text = page === undefined ? '' : await readFile(join(folder, page), 'utf8');
  const license = /^#+ *licen[cs]e\b[\s\S]*/im.exec(text)?.[0];
  if (license === undefined) throw new Error(`${folder} is bundled and shows no licence.`);
  return license;
}
