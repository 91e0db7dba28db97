/**
 * `agent feature finalize-tasks`: settles the dependencies of a feature's work packages, commits its task files,
 * and announces the feature once. A run that finds nothing new announces nothing: what was announced last is
 * kept in meta.json as a hash, and travels with the repository.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { checkCanCommit, commitOnly, type Commit } from '../git/commit.ts';
import { editedMeta, metaText, readMeta } from '../files/meta-json.ts';
import { rememberFiles, writeText } from '../files/text-files.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { detectFeature, requireTargetBranch, targetBranch, type Feature } from '../project/feature.ts';
import { changeFeature, type FeatureWork, type Told } from '../project/feature-work.ts';
import { findProject } from '../project/project-root.ts';
import type { DependencyConflict, TaskPlan } from '../project/task-plan.ts';
import { draftsOf, readPlan, type Announcement } from './announcement.ts';

/** What the user asked for. */
export interface FinalizeTasksInput extends Place {
  readonly feature?: string;
  /** Check and show, change and emit nothing. */
  readonly dryRun?: boolean;
  /** Announce again although nothing changed. */
  readonly emit?: boolean;
}

/** The JSON answer. */
export interface FinalizeTasksResult {
  readonly result: 'success';
  readonly feature: string;
  readonly dry_run: boolean;
  readonly updated_wp_count: number;
  /** Relative to the project root. */
  readonly tasks_dir: string;
  readonly commit_created: boolean;
  readonly commit_hash: string | null;
  /** What the commit really holds. */
  readonly files_committed: readonly string[];
  readonly work_packages: readonly {
    readonly id: string;
    readonly title: string;
    readonly dependencies: readonly string[];
  }[];
  readonly conflicts: readonly DependencyConflict[];
  readonly warnings: readonly string[];
  readonly events_emitted: number;
  /** Announced, but not recorded: a warning has said why. */
  readonly events_dropped: number;
  readonly causation_id: string | null;
}

type FinalizeDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'progress' | 'newUlid' | 'causationId'>;

/** Runs it. Emits FeatureCreated and one WPCreated per package, sorted by id, under one causation id. */
export async function finalizeTasks(deps: FinalizeDeps, input: FinalizeTasksInput): Promise<FinalizeTasksResult> {
  const project = await findProject(deps.git, input);
  const feature = await detectFeature(deps.git, project, input);
  if (input.dryRun === true) {
    const target = (await targetBranch(deps.git, project, feature)) ?? 'HEAD';
    const { plan } = await readPlan(deps.git, project, feature, target);
    return answer(feature, plan, { dryRun: true });
  }
  const target = await requireTargetBranch(
    deps.git,
    project,
    feature,
    input.retype?.(feature.slug) ?? `spec-kitty agent feature finalize-tasks --feature ${feature.slug}`,
  );
  const { result, told } = await changeFeature(deps, project, feature, (work) =>
    settle(deps, work, { target, again: input.emit === true }),
  );
  return answer(feature, result.plan, { commit: result.commit, told });
}

interface Settled {
  readonly plan: TaskPlan;
  readonly commit: Commit | undefined;
}

async function settle(
  deps: FinalizeDeps,
  { project, feature, willTell }: FeatureWork,
  { target, again }: { readonly target: string; readonly again: boolean },
): Promise<Settled> {
  await checkCanCommit(deps.git, project);
  const { plan, announcement } = await readPlan(deps.git, project, feature, target);
  const hash = hashOf(announcement);
  const isNews = metaText(readMeta(feature.dir, feature.slug), 'finalized_hash') !== hash;
  const meta = isNews
    ? [
        editedMeta(feature.dir, feature.slug, {
          finalized_at: new Date(deps.time.now()).toISOString(),
          finalized_hash: hash,
        }),
      ]
    : [];
  const updated = plan.wps.filter((planned) => planned.isUpdated);
  const files = [
    ...updated.map(({ wp, dependencies }) => ({
      path: wp.relativePath,
      text: wp.file.set('dependencies', dependencies).text,
    })),
    ...meta,
  ];

  if (isNews || again) {
    const evidence = { path: `${feature.relativeDir}/meta.json`, text: hash };
    willTell(draftsOf(announcement).map((draft) => ({ draft, evidence })));
  }
  const restore = rememberFiles(files.map(({ path }) => join(project.root, path)));
  try {
    for (const { path, text } of files) writeText(join(project.root, path), text);
    const folder = ['meta.json', 'tasks.md', 'tasks'].filter((name) => existsSync(join(feature.dir, name)));
    const paths = [
      ...folder.map((name) => `${feature.relativeDir}/${name}`),
      ...plan.wps.map(({ wp }) => wp.relativePath),
    ];
    deps.progress(`Committing the tasks of ${feature.slug}`);
    const commit = await commitOnly(deps.git, project.root, {
      message: `Add tasks for feature ${feature.slug}`,
      paths,
    });
    return { plan, commit };
  } catch (cause) {
    restore();
    throw cause;
  }
}

function hashOf(announcement: Announcement): string {
  return createHash('sha256').update(JSON.stringify(announcement)).digest('hex');
}

function answer(
  feature: Feature,
  plan: TaskPlan,
  done: {
    readonly dryRun?: boolean;
    readonly commit?: Commit | undefined;
    readonly told?: Told;
  },
): FinalizeTasksResult {
  return {
    result: 'success',
    feature: feature.slug,
    dry_run: done.dryRun === true,
    updated_wp_count: plan.wps.filter((planned) => planned.isUpdated).length,
    tasks_dir: `${feature.relativeDir}/tasks`,
    commit_created: done.commit !== undefined,
    commit_hash: done.commit?.hash ?? null,
    files_committed: done.commit?.files ?? [],
    work_packages: plan.wps.map(({ wp, title, dependencies }) => ({ id: wp.id, title, dependencies })),
    conflicts: plan.conflicts,
    warnings: plan.warnings,
    events_emitted: done.told?.recorded ?? 0,
    events_dropped: done.told?.lost ?? 0,
    causation_id: done.told?.causationId ?? null,
  };
}
