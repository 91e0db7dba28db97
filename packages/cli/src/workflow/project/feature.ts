/**
 * Which feature a command works on: one detection for all. Explicit beats environment beats branch beats
 * directory beats "there is only one"; nothing is guessed beyond that, and nothing is printed.
 */
import { realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { isFolder, listFolder } from '../files/text-files.ts';
import { refuseLinksAway } from '../files/links.ts';
import { metaTarget, readMeta, type FeatureMeta } from '../files/meta-json.ts';
import type { Git, Place } from '../ports.ts';
import type { Project } from './project-root.ts';
import { headBranch } from '../git/repository.ts';
import { isFeatureSlug } from '../rules/names.ts';
import { quoted } from '../rules/shell-word.ts';

/** A feature directory. */
export interface Feature {
  /** The directory's name, e.g. `004-invoice-export`. */
  readonly slug: string;
  /** First three digits. */
  readonly number: string;
  readonly dir: string;
  /** `kitty-specs/<slug>` */
  readonly relativeDir: string;
  readonly tasksDir: string;
}

/** Folders of the old layout, where the lane was the folder's name. */
export const LEGACY_LANE_FOLDERS = ['planned', 'doing', 'for_review', 'done'] as const;

/** Names of the feature directories of a project, sorted. */
export function listFeatures(root: string): readonly string[] {
  const dir = join(root, 'kitty-specs');
  return listFolder(dir, 'kitty-specs')
    .filter((name) => isFeatureSlug(name) && isFolder(join(dir, name)))
    .toSorted();
}

/** The feature by its name; `slug` must exist. */
export function openFeature(root: string, slug: string, retype?: Place['retype']): Feature {
  const features = listFeatures(root);
  if (!features.includes(slug)) {
    const known = features.length === 0 ? 'There is none yet.' : `There are: ${some(features)}.`;
    throw new WorkflowError('feature-not-found', `There is no feature "${slug}" in kitty-specs. ${known}`, {
      remedy:
        features.length === 0
          ? 'spec-kitty agent feature create-feature some-name'
          : again(retype, meant(slug, features)),
    });
  }
  refuseLinksAway(root, { below: [`kitty-specs/${slug}`] });
  const dir = join(root, 'kitty-specs', slug);
  return { slug, number: slug.slice(0, 3), dir, relativeDir: `kitty-specs/${slug}`, tasksDir: join(dir, 'tasks') };
}

/** The feature a command means. Refuses, listing what there is, when that is not clear. */
export async function detectFeature(
  git: Git,
  project: Project,
  input: Place & { readonly feature?: string | undefined },
): Promise<Feature> {
  const named = input.feature?.trim() || input.env?.['SPECIFY_FEATURE']?.trim();
  if (named) return openFeature(project.root, named, input.retype);
  const features = listFeatures(project.root);
  const found =
    (await fromBranch(git, project, features)) ??
    fromPath(project, input.cwd, features) ??
    (features.length === 1 ? features[0] : undefined);
  if (found !== undefined) return openFeature(project.root, found);
  if (features.length === 0) {
    throw new WorkflowError('feature-not-found', 'There is no feature in kitty-specs yet.', {
      remedy: 'spec-kitty agent feature create-feature some-name',
    });
  }
  throw new WorkflowError('feature-unclear', `It is not clear which feature is meant: ${some(features)}.`, {
    remedy: again(input.retype, features.at(-1) ?? ''),
  });
}

/** The facts of a feature. Refuses when meta.json is missing. */
export function requireMeta(feature: Feature): FeatureMeta {
  const meta = readMeta(feature.dir, feature.slug);
  if (meta !== undefined) return meta;
  throw new WorkflowError(
    'meta-missing',
    `${feature.relativeDir}/meta.json is missing, so the feature's facts are unknown.`,
    {
      remedy: `git log --diff-filter=D -- ${feature.relativeDir}/meta.json   (or write one: {"feature_number":"${feature.number}","slug":"${feature.slug}"})`,
    },
  );
}

/** The branch finished work goes to: meta.json's, else the branch that is checked out. Undefined when neither. */
export async function targetBranch(git: Git, project: Project, feature: Feature): Promise<string | undefined> {
  return metaTarget(readMeta(feature.dir, feature.slug), feature.slug) ?? (await headBranch(git, project.gitCommonDir));
}

/** Refuses unless the main checkout stands on the feature's target branch; nobody's HEAD is ever switched. */
export async function requireTargetBranch(
  git: Git,
  project: Project,
  feature: Feature,
  retry: string,
): Promise<string> {
  const head = await headBranch(git, project.gitCommonDir);
  const target = metaTarget(readMeta(feature.dir, feature.slug), feature.slug) ?? head;
  if (head !== undefined && head === target) return target;
  const where = head === undefined ? 'has a detached HEAD' : `is on ${head}`;
  const wanted = target === undefined ? 'a branch' : target;
  throw new WorkflowError(
    'wrong-branch',
    `Status of ${feature.slug} is recorded on ${wanted}, but the main checkout ${where}.`,
    {
      remedy: `git switch ${quoted(target ?? 'BRANCH')} && ${retry}`,
    },
  );
}

async function fromBranch(git: Git, project: Project, features: readonly string[]): Promise<string | undefined> {
  for (const gitDir of new Set([project.gitDir, project.gitCommonDir])) {
    const branch = await headBranch(git, gitDir);
    const slug = branch === undefined ? undefined : known(branch, features);
    if (slug !== undefined) return slug;
  }
  return undefined;
}

function fromPath(project: Project, cwd: string, features: readonly string[]): string | undefined {
  const steps = relative(project.root, realpathSync(cwd)).split(sep);
  for (const step of steps.toReversed()) {
    const slug = known(step, features);
    if (slug !== undefined) return slug;
  }
  return undefined;
}

/** The feature a branch or directory name stands for: `NNN-name` or `NNN-name-WPnn`. */
function known(name: string, features: readonly string[]): string | undefined {
  return [name, name.replace(/-WP\d{2}$/, '')].find((slug) => features.includes(slug));
}

/** The feature somebody may have had in mind: part of its name, or its number. Else the newest. */
function meant(text: string, features: readonly string[]): string {
  return features.findLast((slug) => slug.startsWith(`${text}-`) || slug.endsWith(`-${text}`)) ?? features.at(-1) ?? '';
}

/** The same command for another feature. */
function again(retype: Place['retype'], feature: string): string {
  return retype === undefined ? `--feature ${feature}` : retype(feature);
}

function some(features: readonly string[]): string {
  const shown = features.slice(-10);
  return shown.join(', ') + (features.length > shown.length ? ` and ${features.length - shown.length} more` : '');
}
