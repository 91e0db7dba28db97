/**
 * Links in the folders this tool reads and writes. Git keeps symbolic links, so a clone may hold some that lead anywhere on
 * this machine: through them a command would read a file of the person's into a commit or a prompt, or write one.
 */
import { lstatSync, readdirSync, realpathSync, type Dirent } from 'node:fs';
import { join, relative, sep } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { quoted } from '../rules/shell-word.ts';

/** Logs of agents: many, and only ever made anew. */
const NOT_LOOKED_INTO = ['.kittify/logs'];

/**
 * Refuses where one of the paths (relative to `root`, with `/`) is a link that leads out of the repository, into its
 * `.git`, or nowhere; of those in `below` also where anything in them is. Those that are not there are fine.
 */
export function refuseLinksAway(
  root: string,
  { only = [], below = [] }: { readonly only?: readonly string[]; readonly below?: readonly string[] },
): void {
  const real = realpathSync(root);
  for (const path of [...only, ...below]) {
    const entry = lstatSync(join(real, path), { throwIfNoEntry: false });
    if (entry === undefined) continue;
    if (entry.isSymbolicLink() && leadsAway(real, path)) throw away(path);
    if (entry.isDirectory() && below.includes(path)) lookInto(real, path);
  }
}

function lookInto(root: string, folder: string): void {
  if (NOT_LOOKED_INTO.includes(folder)) return;
  for (const entry of entriesOf(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isSymbolicLink() && leadsAway(root, path)) throw away(path);
    if (entry.isDirectory()) lookInto(root, path);
  }
}

function leadsAway(root: string, path: string): boolean {
  try {
    const [first] = relative(root, realpathSync(join(root, path))).split(sep);
    return first === '..' || first === '.git' || first === '' || first === undefined;
  } catch {
    // Nowhere, or in a circle.
    return true;
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Not there, no folder, or not ours to look into: whoever opens it says so.
    return [];
  }
}

function away(path: string): WorkflowError {
  return new WorkflowError(
    'link-leads-away',
    `${path} is a link that leads out of this repository, or nowhere; nothing is read or written through it.`,
    { remedy: `rm ${quoted(path)}   (removes the link alone)`, details: { path } },
  );
}
