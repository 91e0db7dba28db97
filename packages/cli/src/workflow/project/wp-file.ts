/**
 * The files of work packages: one locator for every command, and their frontmatter in domain words. A
 * package's lane lives here and nowhere else.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Lane } from '@spec-kitty/events-sdk/contract';

import { WorkflowError } from '../errors.ts';
import { isFolder, listFolder, readText } from '../files/text-files.ts';
import { parseFrontmatter } from '../files/frontmatter.ts';
import type { FrontmatterFile } from '../files/frontmatter.ts';
import { LEGACY_LANE_FOLDERS, type Feature } from './feature.ts';
import { parseLane } from '../rules/lanes.ts';
import { readWpId, wpIdOfFile } from '../rules/wp-id.ts';

/** A work package as its file says. */
export interface WorkPackage {
  readonly id: string;
  /** File name within `tasks/`. */
  readonly fileName: string;
  readonly path: string;
  /** Relative to the project root, with `/`. */
  readonly relativePath: string;
  readonly file: FrontmatterFile;
  readonly title: string;
  readonly lane: Lane;
  readonly dependencies: readonly string[];
}

/** File names of work packages by id, sorted. Refuses the old layout with a folder per lane. */
export function listWpFiles(feature: Feature): ReadonlyMap<string, readonly string[]> {
  refuseLegacyLayout(feature);
  const found = new Map<string, string[]>();
  const names = listFolder(feature.tasksDir, `${feature.relativeDir}/tasks`).toSorted();
  for (const name of names) {
    const id = wpIdOfFile(name);
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), name]);
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The file of one work package. Refuses when there is none, or more than one. */
export function findWp(feature: Feature, id: string): WorkPackage {
  const names = listWpFiles(feature).get(id) ?? [];
  const [name] = names;
  if (name === undefined) {
    throw new WorkflowError('wp-not-found', `${id} was not found in ${feature.relativeDir}/tasks.`, {
      wpId: id,
      remedy: `spec-kitty agent tasks status --feature ${feature.slug}`,
    });
  }
  if (names.length > 1) {
    throw new WorkflowError(
      'wp-ambiguous',
      `${id} has more than one file in ${feature.relativeDir}/tasks: ${names.join(', ')}.`,
      {
        wpId: id,
      },
    );
  }
  return readWp(feature, id, name);
}

/** All work packages, sorted by id. Refuses when a file cannot be read or an id has two. */
export function readAllWps(feature: Feature): readonly WorkPackage[] {
  return [...listWpFiles(feature).keys()].map((id) => findWp(feature, id));
}

/** Reads one file of `tasks/`. */
export function readWp(feature: Feature, id: string, fileName: string): WorkPackage {
  const path = join(feature.tasksDir, fileName);
  const relativePath = `${feature.relativeDir}/tasks/${fileName}`;
  const text = readText(path, relativePath);
  if (text === undefined) throw new WorkflowError('wp-not-found', `${relativePath} does not exist.`, { wpId: id });
  const file = parseFrontmatter(relativePath, text);
  return { id, fileName, path, relativePath, file, ...fieldsOf(file, id) };
}

/** A scalar key as text; empty text and absent keys are undefined. */
export function wpText(file: FrontmatterFile, key: string): string | undefined {
  const value = file.get(key);
  const text =
    typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  return text.trim() === '' ? undefined : text.trim();
}

function fieldsOf(file: FrontmatterFile, id: string): Pick<WorkPackage, 'title' | 'lane' | 'dependencies'> {
  const lane = wpText(file, 'lane');
  return {
    title: wpText(file, 'title') ?? wpText(file, 'work_package_title') ?? id,
    // A missing lane means the work has not begun; an unknown word is refused.
    lane: lane === undefined ? 'planned' : parseLane(lane, id),
    dependencies: dependenciesOf(file, id),
  };
}

function dependenciesOf(file: FrontmatterFile, id: string): readonly string[] {
  const value = file.get('dependencies');
  // An older tool wrote the list as text: "['WP01']".
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? (value.match(/[\w-]+/g) ?? [])
      : [];
  const ids = items.map((item) => {
    const dep = typeof item === 'string' ? readWpId(item) : undefined;
    if (dep === undefined) {
      throw new WorkflowError(
        'dependency-invalid',
        `${id} lists a dependency that is no work package id: ${JSON.stringify(item)}.`,
        {
          wpId: id,
        },
      );
    }
    return dep;
  });
  return [...new Set(ids)];
}

function refuseLegacyLayout(feature: Feature): void {
  const folder = LEGACY_LANE_FOLDERS.find((lane) => {
    const path = join(feature.tasksDir, lane);
    return isFolder(path) && readdirSync(path).some((name) => name.endsWith('.md'));
  });
  if (folder === undefined) return;
  throw new WorkflowError(
    'legacy-layout',
    `${feature.relativeDir}/tasks/${folder} holds work packages: folders per lane are no longer supported, the lane stands in each file.`,
    {
      remedy: `git mv ${feature.relativeDir}/tasks/${folder}/*.md ${feature.relativeDir}/tasks/   (and set lane: ${folder} in each)`,
    },
  );
}
