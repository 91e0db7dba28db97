/**
 * What a team is told of a feature when it hears of it: the feature and its work packages, as the files say. Shared by
 * everything that announces, so that the same feature is announced with the same facts.
 */
import { join } from 'node:path';

import { featureCreated, wpCreated } from '@spec-kitty/events-sdk';
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { WorkflowError, isWorkflowError } from '../errors.ts';
import { metaText, readMeta } from '../files/meta-json.ts';
import { parseTasksMd } from '../files/tasks-md.ts';
import { readText } from '../files/text-files.ts';
import type { Git } from '../ports.ts';
import type { Feature } from '../project/feature.ts';
import type { Project } from '../project/project-root.ts';
import { planTasks, type TaskPlan } from '../project/task-plan.ts';
import { findWp, listWpFiles, type WorkPackage } from '../project/wp-file.ts';

/** The facts of the feature that are announced, before they are stamped with a causation id. */
export interface Announcement {
  readonly featureSlug: string;
  readonly featureNumber: string;
  readonly targetBranch: string;
  readonly createdAt?: string;
  readonly wps: readonly { readonly wpId: string; readonly title: string; readonly dependencies: readonly string[] }[];
}

/** True when the contract takes a feature of this name: older ones may hold capitals or underscores. */
export function canBeAnnounced(slug: string): boolean {
  return /^\d{3}-[a-z0-9-]+$/.test(slug);
}

/** FeatureCreated, then one WPCreated per package, sorted by id. */
export function draftsOf(announcement: Announcement): readonly Draft<SpecKittyEvents>[] {
  const { wps, ...facts } = announcement;
  return [
    featureCreated({ ...facts, wpCount: wps.length }),
    ...wps.map((wp) => wpCreated({ ...wp, featureSlug: facts.featureSlug })),
  ];
}

/**
 * Reads a feature's task files and decides what is announced of them. Refuses a feature without packages, and
 * dependencies that are wrong.
 */
export async function readPlan(
  git: Git,
  project: Project,
  feature: Feature,
  target: string,
): Promise<{ readonly plan: TaskPlan; readonly announcement: Announcement }> {
  const { wps, unreadable } = readEveryWp(feature);
  const text = tasksText(feature);
  if (wps.length === 0 && unreadable.length === 0) {
    throw new WorkflowError('no-work-packages', `${feature.relativeDir}/tasks holds no work packages.`, {
      remedy: `spec-kitty agent tasks scaffold --feature ${feature.slug}${text === undefined ? ' --wp "First title"' : ` --from ${feature.relativeDir}/tasks.md`}`,
    });
  }
  const plan = planTasks(
    text === undefined ? undefined : parseTasksMd(text),
    wps,
    unreadable.map(({ id }) => id),
  );
  const createdAt = await creationTime(git, project, feature);
  return {
    plan: {
      ...plan,
      warnings: [...unreadable.map(({ id, cause }) => `${id} is left out: ${cause.message}`), ...plan.warnings],
    },
    announcement: {
      featureSlug: feature.slug,
      featureNumber: featureNumber(feature),
      targetBranch: target,
      ...(createdAt === undefined ? {} : { createdAt }),
      wps: plan.wps.map(({ wp, title, dependencies }) => ({ wpId: wp.id, title, dependencies })),
    },
  };
}

/** The packages of a feature, sorted by id. */
export interface EveryWp {
  readonly wps: readonly WorkPackage[];
  /** A file nobody can read does not hold up the others. */
  readonly unreadable: readonly { readonly id: string; readonly cause: WorkflowError }[];
}

/** Reads them all. Refuses when an id has two files. */
export function readEveryWp(feature: Feature): EveryWp {
  const wps: WorkPackage[] = [];
  const unreadable: { readonly id: string; readonly cause: WorkflowError }[] = [];
  for (const id of listWpFiles(feature).keys()) {
    try {
      wps.push(findWp(feature, id));
    } catch (cause) {
      if (!isWorkflowError(cause) || cause.code === 'wp-ambiguous') throw cause;
      unreadable.push({ id, cause });
    }
  }
  return { wps, unreadable };
}

function tasksText(feature: Feature): string | undefined {
  return readText(join(feature.dir, 'tasks.md'), `${feature.relativeDir}/tasks.md`);
}

function featureNumber(feature: Feature): string {
  const number = metaText(readMeta(feature.dir, feature.slug), 'feature_number');
  return number !== undefined && /^\d{3}$/.test(number) ? number : feature.number;
}

/** meta.json's word where it is a date-time, else when meta.json first came into history, else nothing. */
async function creationTime(git: Git, project: Project, feature: Feature): Promise<string | undefined> {
  const said = metaText(readMeta(feature.dir, feature.slug), 'created_at');
  if (
    said !== undefined &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(said) &&
    !Number.isNaN(Date.parse(said))
  )
    return said;
  if (said !== undefined && !Number.isNaN(Date.parse(said))) return new Date(said).toISOString();
  const args = [
    'log',
    '--no-show-signature',
    '--diff-filter=A',
    '--format=%aI',
    '--',
    `${feature.relativeDir}/meta.json`,
  ];
  const log = await git.run(project.root, args);
  const first = log.exitCode === 0 ? log.stdout.trim().split('\n').at(-1) : undefined;
  return first === undefined || first === '' ? undefined : first;
}
