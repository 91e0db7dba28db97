/**
 * `agent tasks scaffold`: writes work packages from titles, or from a tasks.md, so that the other commands
 * have something to work on. Never overwrites.
 */
import { existsSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { logTime } from '../files/activity-log.ts';
import { checkCanCommit, commitOnly } from '../git/commit.ts';
import { findCycles } from '../rules/dependency-graph.ts';
import { WorkflowError } from '../errors.ts';
import { detectFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { readNamedText, writeText } from '../files/text-files.ts';
import { metaText, readMeta } from '../files/meta-json.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { findProject, type Project } from '../project/project-root.ts';
import { parseTasksMd, repeatedSections } from '../files/tasks-md.ts';
import { tasksMdText, wpFileName, wpFileText, type NewWp } from '../files/templates.ts';
import { listWpFiles } from '../project/wp-file.ts';
import { readWpId } from '../rules/wp-id.ts';

/** What the user asked for: exactly one of `wps` and `from`. */
export interface ScaffoldInput extends Place {
  readonly feature?: string;
  /** `Title` or `Title:dep,dep`; a dep is an id or a 1-based position. */
  readonly wps?: readonly string[];
  /** Path of a tasks.md, relative to `cwd`; may be the feature's own. */
  readonly from?: string;
}

/** The JSON answer. Paths are relative to the project root. */
export interface ScaffoldResult {
  readonly result: 'success';
  readonly feature: string;
  readonly tasks_dir: string;
  readonly work_packages: readonly {
    readonly id: string;
    readonly title: string;
    readonly dependencies: readonly string[];
    readonly path: string;
  }[];
  readonly commit_hash: string;
  readonly files_committed: readonly string[];
}

/** Runs it. Emits nothing: work packages are announced by finalize-tasks. */
export async function scaffold(
  deps: Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'progress'>,
  input: ScaffoldInput,
): Promise<ScaffoldResult> {
  const project = await findProject(deps.git, input);
  const feature = await detectFeature(deps.git, project, input);
  await requireTargetBranch(
    deps.git,
    project,
    feature,
    input.retype?.(feature.slug) ?? `spec-kitty agent tasks scaffold --feature ${feature.slug} …`,
  );
  await checkCanCommit(deps.git, project);
  return withFeatureLock(deps.lock, project, feature.slug, () => write(deps, project, feature, input));
}

async function write(
  deps: Pick<WorkflowDeps, 'git' | 'time' | 'progress'>,
  project: Project,
  feature: Feature,
  input: ScaffoldInput,
): Promise<ScaffoldResult> {
  const tasksPath = join(feature.dir, 'tasks.md');
  const { wps, tasksMd } = readWish(feature, input, tasksPath);
  refuseBroken(wps);
  const existing = listWpFiles(feature);
  const taken = wps.find((wp) => existing.has(wp.id));
  if (taken !== undefined || (tasksMd !== undefined && existsSync(tasksPath))) {
    const what = taken === undefined ? 'tasks.md' : `tasks/${existing.get(taken.id)?.[0] ?? ''}`;
    throw new WorkflowError('already-exists', `${feature.relativeDir}/${what} exists; scaffold never overwrites.`, {
      remedy:
        taken === undefined
          ? `spec-kitty agent tasks scaffold --feature ${feature.slug} --from ${feature.relativeDir}/tasks.md`
          : `spec-kitty agent feature finalize-tasks --feature ${feature.slug}`,
    });
  }

  const at = logTime(deps.time.now());
  const files = wps.map((wp) => ({ path: join(feature.tasksDir, wpFileName(wp)), text: wpFileText(wp, at) }));
  if (tasksMd !== undefined) files.push({ path: tasksPath, text: tasksMd });
  deps.progress(`Writing ${wps.length} work packages into ${feature.relativeDir}`);
  try {
    for (const file of files) writeText(file.path, file.text);
    const paths = files.map(
      (file) => `${feature.relativeDir}/${file.path === tasksPath ? '' : 'tasks/'}${basename(file.path)}`,
    );
    // The feature's own tasks.md may be new itself; it belongs to what was made from it.
    const own = existsSync(tasksPath) ? [`${feature.relativeDir}/tasks.md`] : [];
    const message = `Add work packages for feature ${feature.slug}`;
    const commit = await commitOnly(deps.git, project.root, { message, paths: [...new Set([...paths, ...own])] });
    if (commit === undefined)
      throw new WorkflowError('commit-refused', 'git found nothing to commit.', { kind: 'runtime' });
    return {
      result: 'success',
      feature: feature.slug,
      tasks_dir: `${feature.relativeDir}/tasks`,
      work_packages: wps.map(({ id, title, dependencies }) => ({
        id,
        title,
        dependencies,
        path: `${feature.relativeDir}/tasks/${wpFileName({ id, title })}`,
      })),
      commit_hash: commit.hash,
      files_committed: commit.files,
    };
  } catch (cause) {
    for (const file of files) rmSync(file.path, { force: true });
    throw cause;
  }
}

/** The packages wished for, and the tasks.md to write; none when the feature's own is the source. */
function readWish(
  feature: Feature,
  input: ScaffoldInput,
  tasksPath: string,
): { readonly wps: readonly NewWp[]; readonly tasksMd?: string } {
  const titles = input.wps ?? [];
  if (titles.length > 0 === (input.from !== undefined)) {
    throw new WorkflowError('nothing-to-scaffold', 'Say what to write: titles, or a tasks.md, not both.', {
      remedy: 'spec-kitty agent tasks scaffold --wp "First title" --wp "Second title:1"',
    });
  }
  if (input.from === undefined) {
    const wps = fromTitles(titles);
    return {
      wps,
      tasksMd: tasksMdText(metaText(readMeta(feature.dir, feature.slug), 'friendly_name') ?? feature.slug, wps),
    };
  }
  const path = resolve(input.cwd, input.from);
  const text = readNamedText(path, input.from);
  if (text === undefined) throw new WorkflowError('file-missing', `${input.from} does not exist.`);
  const wps = fromTasksMd(text, input.from);
  return path === tasksPath ? { wps } : { wps, tasksMd: text };
}

function fromTitles(titles: readonly string[]): readonly NewWp[] {
  if (titles.length > 99) throw new WorkflowError('too-many-work-packages', 'Work package ids end at WP99.');
  return titles.map((wish, index) => {
    const { title, dependencies } = readTitle(wish);
    if (title === '') throw new WorkflowError('title-missing', `Work package ${index + 1} has no title.`);
    const subtask = { id: `T${String(index + 1).padStart(3, '0')}`, text: title, checked: false };
    return { id: idAt(index + 1), title, dependencies, subtasks: [subtask] };
  });
}

/** `Title:WP01,2`. A colon that is not followed by ids only belongs to the title. */
function readTitle(wish: string): { readonly title: string; readonly dependencies: readonly string[] } {
  const colon = wish.lastIndexOf(':');
  const words = wish
    .slice(colon + 1)
    .split(',')
    .map((word) => word.trim());
  const ids = words.map((word) =>
    /^\d{1,2}$/.test(word) && Number(word) > 0
      ? idAt(Number(word))
      : /^wp\d+$/i.test(word)
        ? readWpId(word)
        : undefined,
  );
  const isList = colon !== -1 && ids.every((id) => id !== undefined);
  if (!isList) return { title: oneLine(wish), dependencies: [] };
  return { title: oneLine(wish.slice(0, colon)), dependencies: [...new Set(ids)].toSorted() };
}

function fromTasksMd(text: string, name: string): readonly NewWp[] {
  const document = parseTasksMd(text);
  if (document.wps.length === 0) {
    throw new WorkflowError('no-work-packages', `${name} has no section like "## Work Package WP01: Title".`);
  }
  const [repeated] = repeatedSections(document);
  if (repeated !== undefined)
    throw new WorkflowError('section-repeated', `${name} has more than one section for ${repeated}.`, {
      wpId: repeated,
    });
  return document.wps.map((wp) => ({
    id: wp.id,
    title: oneLine(wp.title) || wp.id,
    dependencies: wp.deps,
    subtasks: wp.subtasks,
  }));
}

function refuseBroken(wps: readonly NewWp[]): void {
  const ids = new Set(wps.map((wp) => wp.id));
  for (const { id, dependencies } of wps) {
    const unknown = dependencies.find((dep) => !ids.has(dep));
    if (unknown !== undefined) {
      throw new WorkflowError(
        'dependency-invalid',
        `${id} waits for ${unknown}, which is not among the work packages.`,
        { wpId: id },
      );
    }
  }
  const [cycle] = findCycles(new Map(wps.map((wp) => [wp.id, wp.dependencies])));
  if (cycle !== undefined) {
    throw new WorkflowError(
      'dependency-cycle',
      `Work packages wait for each other in a circle: ${cycle.join(' → ')}.`,
      { details: { cycles: [cycle] } },
    );
  }
}

function idAt(position: number): string {
  return `WP${String(position).padStart(2, '0')}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
