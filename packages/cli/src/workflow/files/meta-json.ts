/** meta.json of a feature: read tolerantly, written back with foreign keys, key order and indent kept. */
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { isBranchName } from '../rules/names.ts';
import { setJsonKeys } from './json-edit.ts';
import { readText } from './text-files.ts';

/** The keys we read or write; any other survives. */
export interface FeatureMeta {
  readonly feature_number?: unknown;
  readonly slug?: unknown;
  readonly friendly_name?: unknown;
  readonly mission?: unknown;
  readonly created_at?: unknown;
  readonly target_branch?: unknown;
  readonly vcs?: unknown;
  readonly vcs_locked_at?: unknown;
  readonly finalized_at?: unknown;
  readonly finalized_hash?: unknown;
  readonly accepted_at?: unknown;
  readonly accepted_by?: unknown;
  readonly acceptance_mode?: unknown;
  readonly accepted_from_commit?: unknown;
  readonly accept_commit?: unknown;
  readonly acceptance_history?: unknown;
  readonly [key: string]: unknown;
}

/** The meta.json of a feature directory; undefined when there is none. Refuses one that does not parse. */
export function readMeta(featureDir: string, slug: string): FeatureMeta | undefined {
  const name = `kitty-specs/${slug}/meta.json`;
  const text = readText(join(featureDir, 'meta.json'), name);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    // Checked right here; the index signature of FeatureMeta says no more than that.
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as FeatureMeta;
  } catch (cause) {
    throw new WorkflowError('meta-invalid', `${name} is not valid JSON.`, { cause });
  }
  throw new WorkflowError('meta-invalid', `${name} is not a JSON object.`);
}

/**
 * meta.json with some keys set, new ones at the end, not written yet; every other line stays as it is. `path` is relative
 * to the project root.
 */
export function editedMeta(
  featureDir: string,
  slug: string,
  changes: FeatureMeta,
): { readonly path: string; readonly text: string } {
  const path = `kitty-specs/${slug}/meta.json`;
  const text = readText(join(featureDir, 'meta.json'), path) ?? '';
  const before = readMeta(featureDir, slug);
  const inPlace = before === undefined ? undefined : setJsonKeys(text, changes);
  if (inPlace !== undefined) return { path, text: inPlace };
  const indent = /^\uFEFF?\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  const json = `${JSON.stringify({ ...before, ...changes }, undefined, indent)}\n`;
  return { path, text: text.includes('\r\n') ? json.replaceAll('\n', '\r\n') : json };
}

/** The branch finished work goes to; undefined where it is not said. Refuses what no branch can be called. */
export function metaTarget(meta: FeatureMeta | undefined, slug: string): string | undefined {
  const target = metaText(meta, 'target_branch');
  if (target === undefined || isBranchName(target)) return target;
  throw new WorkflowError(
    'meta-invalid',
    `kitty-specs/${slug}/meta.json: no branch can be called as target_branch says.`,
  );
}

/** A non-empty text value of meta.json. */
export function metaText(meta: FeatureMeta | undefined, key: string): string | undefined {
  const value = meta?.[key];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
