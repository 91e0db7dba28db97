/**
 * What finalize-tasks decides, without touching anything: which dependencies each work package ends up with,
 * and what is wrong with them. An explicit declaration in tasks.md wins; without one the file's own stays.
 */
import { refuseBrokenGraph } from '../rules/broken-graph.ts';
import { WorkflowError } from '../errors.ts';
import { repeatedSections, type TasksDocument, type WpSection } from '../files/tasks-md.ts';
import type { WorkPackage } from './wp-file.ts';

/** A work package as it will be announced. */
export interface PlannedWp {
  readonly wp: WorkPackage;
  readonly title: string;
  /** Sorted, without repetition. */
  readonly dependencies: readonly string[];
  /** True when the file's frontmatter has to change. */
  readonly isUpdated: boolean;
}

/** Both places said something, and not the same; tasks.md was followed. */
export interface DependencyConflict {
  readonly wp: string;
  readonly tasks_md: readonly string[];
  readonly frontmatter: readonly string[];
}

/** The decision. `wps` is sorted by id. */
export interface TaskPlan {
  readonly wps: readonly PlannedWp[];
  readonly conflicts: readonly DependencyConflict[];
  readonly warnings: readonly string[];
}

/** Decides. `unreadable` are ids that have a file nobody could read: they exist, but are not announced. */
export function planTasks(
  tasks: TasksDocument | undefined,
  wps: readonly WorkPackage[],
  unreadable: readonly string[] = [],
): TaskPlan {
  if (tasks !== undefined) refuseRepeated(tasks);
  const sections = new Map((tasks?.wps ?? []).map((section) => [section.id, section]));
  const conflicts: DependencyConflict[] = [];
  const planned = wps
    .map((wp) => planOne(wp, sections.get(wp.id), conflicts))
    .toSorted((a, b) => (a.wp.id < b.wp.id ? -1 : 1));
  const fileIds = new Set([...wps.map((wp) => wp.id), ...unreadable]);
  refuseBroken(planned, sections, fileIds);
  return { wps: planned, conflicts, warnings: warningsOf(tasks, sections, fileIds) };
}

function planOne(wp: WorkPackage, section: WpSection | undefined, conflicts: DependencyConflict[]): PlannedWp {
  const inFile = wp.dependencies.toSorted();
  const hasKey = wp.file.has('dependencies');
  const isDeclared = section?.depsDeclared === true;
  const dependencies = isDeclared ? section.deps : inFile;
  const isSame = dependencies.join() === inFile.join();
  if (isDeclared && hasKey && !isSame) conflicts.push({ wp: wp.id, tasks_md: dependencies, frontmatter: inFile });
  const title = wp.title !== wp.id ? wp.title : section?.title || wp.id;
  // A list in another order says the same; a list written as text does not.
  return { wp, title, dependencies, isUpdated: !isSame || !Array.isArray(wp.file.get('dependencies')) };
}

function refuseRepeated(tasks: TasksDocument): void {
  const [id] = repeatedSections(tasks);
  if (id === undefined) return;
  throw new WorkflowError(
    'section-repeated',
    `tasks.md has more than one section for ${id}, so it is unclear which one counts.`,
    { wpId: id },
  );
}

function refuseBroken(
  planned: readonly PlannedWp[],
  sections: ReadonlyMap<string, WpSection>,
  fileIds: ReadonlySet<string>,
): void {
  const graph = new Map([...sections].map(([id, section]) => [id, section.deps] as const));
  for (const { wp, dependencies } of planned) graph.set(wp.id, dependencies);
  refuseBrokenGraph(graph, new Set([...fileIds, ...sections.keys()]));
}

function warningsOf(
  tasks: TasksDocument | undefined,
  sections: ReadonlyMap<string, WpSection>,
  fileIds: ReadonlySet<string>,
): readonly string[] {
  if (tasks === undefined)
    return ['There is no tasks.md; the dependencies of the work package files stand as they are.'];
  const list = [...sections.values()];
  return [
    ...list
      .filter(({ id }) => !fileIds.has(id))
      .map(({ id }) => `tasks.md has a section ${id}, but there is no file for it in tasks/.`),
    ...[...fileIds]
      .filter((id) => !sections.has(id))
      .map((id) => `${id} has a file in tasks/, but no section in tasks.md.`),
    ...list
      .filter(({ unreadDeps }) => unreadDeps.length > 0)
      .map(
        ({ id, unreadDeps }) =>
          `In the section ${id} of tasks.md, ${unreadDeps.join(', ')} stands behind a parenthesis that never closes and was not read as a dependency; close it.`,
      ),
    ...list.flatMap(({ id, unreadLines }) =>
      unreadLines.map(
        (line) =>
          `In the section ${id} of tasks.md, line ${line + 1} names packages in words and was not read as a dependency; write their ids, as in: Depends on WP01, WP02.`,
      ),
    ),
    ...tasks.ambiguousSubtasks.map((id) => `${id} is the id of more than one subtask in tasks.md.`),
  ];
}
