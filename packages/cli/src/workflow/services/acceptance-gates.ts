/**
 * What stands between a feature and its acceptance: facts in, buckets out. A feature is acceptable when every bucket of
 * {@link GATES} is empty; a package in for_review is no hindrance, accepting it is what acceptance does. Pure.
 */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { readLog, type LogEntry } from '../files/activity-log.ts';
import { openBoxes } from '../files/tasks-md.ts';
import type { DirtyFile } from '../git/repository.ts';
import { wpText, type WorkPackage } from '../project/wp-file.ts';
import { readLane } from '../rules/lanes.ts';

/** The buckets that have to be empty, in the order they are shown. */
export const GATES = [
  'not_done',
  'metadata',
  'activity',
  'unchecked_tasks',
  'needs_clarification',
  'missing_artifacts',
  'git_dirty',
  'path_violations',
] as const;

/** One of the buckets. */
export type Gate = (typeof GATES)[number];

/** Documents that must exist, and those looked at for open questions where they exist. */
const REQUIRED = ['spec.md', 'plan.md', 'tasks.md'];
const OPTIONAL = ['quickstart.md', 'data-model.md', 'research.md', 'contracts'];
const OPEN_QUESTION = '[NEEDS CLARIFICATION';

/** Everything that may be in a feature's directory and is looked at. */
export const ARTIFACTS: readonly string[] = [...REQUIRED, ...OPTIONAL];

/** What is known of the feature. */
export interface AcceptanceFacts {
  readonly feature: string;
  readonly featureDir: string;
  /** The branch of the main checkout; undefined when detached. */
  readonly branch: string | undefined;
  readonly target: string | undefined;
  /** True leaves the metadata of the packages out. */
  readonly lenient: boolean;
  /** Sorted by id. */
  readonly wps: readonly WorkPackage[];
  /** Artifacts that exist, with their text; a folder has none. */
  readonly artifacts: ReadonlyMap<string, string>;
  /** Uncommitted files, without those of spec-kitty itself. */
  readonly dirty: readonly DirtyFile[];
  /** Folders the mission names that do not exist. */
  readonly missingPaths: readonly string[];
  /** Packages whose branch has commits that the target branch has not. */
  readonly unmerged: readonly string[];
  /** Markdown files of `tasks/` that look like packages and are none. */
  readonly strayFiles: readonly string[];
}

/** A package in the summary. */
export interface WpSummary {
  readonly id: string;
  readonly title: string;
  readonly lane: Lane;
  /** Relative to the project root. */
  readonly path: string;
  /** Of the last entry of the activity log. */
  readonly latest_lane: string | null;
  readonly has_lane_entry: boolean;
  readonly metadata: Readonly<Record<'lane' | 'agent' | 'assignee' | 'shell_pid', string | null>>;
}

/** The verdict, in the spelling of `--json`. */
export interface AcceptanceSummary extends Readonly<Record<Gate, readonly string[]>> {
  readonly feature: string;
  readonly branch: string | null;
  readonly target_branch: string | null;
  /** Relative to the project root. */
  readonly feature_dir: string;
  readonly tasks_dir: string;
  readonly lenient: boolean;
  readonly lanes: Readonly<Record<Lane, readonly string[]>>;
  readonly work_packages: readonly WpSummary[];
  readonly optional_missing: readonly string[];
  readonly warnings: readonly string[];
  /** True when every package is in done. */
  readonly all_done: boolean;
  readonly ok: boolean;
}

/** Judges. */
export function judgeAcceptance(facts: AcceptanceFacts): AcceptanceSummary {
  const { wps, artifacts } = facts;
  const idsIn = (lane: Lane): readonly string[] => wps.filter((wp) => wp.lane === lane).map((wp) => wp.id);
  const lanes = {
    planned: idsIn('planned'),
    doing: idsIn('doing'),
    for_review: idsIn('for_review'),
    done: idsIn('done'),
  };
  const gates: Readonly<Record<Gate, readonly string[]>> = {
    not_done: [...lanes.planned, ...lanes.doing].toSorted(),
    metadata: facts.lenient ? [] : wps.flatMap(missingMetadata),
    activity: wps.flatMap(activityGaps),
    unchecked_tasks: openBoxes(artifacts.get('tasks.md') ?? '').map((box) => box.text),
    needs_clarification: [...artifacts].filter(([, text]) => text.includes(OPEN_QUESTION)).map(([name]) => name),
    missing_artifacts: REQUIRED.filter((name) => !artifacts.has(name)),
    git_dirty: facts.dirty.filter(({ path }) => !isOwn(facts, path)).map(({ code, path }) => `${code} ${path}`),
    path_violations: facts.missingPaths,
  };
  return {
    feature: facts.feature,
    branch: facts.branch ?? null,
    target_branch: facts.target ?? null,
    feature_dir: facts.featureDir,
    tasks_dir: `${facts.featureDir}/tasks`,
    lenient: facts.lenient,
    lanes,
    work_packages: wps.map(summaryOf),
    ...gates,
    optional_missing: OPTIONAL.filter((name) => !artifacts.has(name)),
    warnings: warningsOf(facts),
    all_done: wps.every((wp) => wp.lane === 'done'),
    ok: GATES.every((gate) => gates[gate].length === 0),
  };
}

/** The buckets that are not empty. */
export function closedGates(summary: AcceptanceSummary): readonly Gate[] {
  return GATES.filter((gate) => summary[gate].length > 0);
}

function missingMetadata(wp: WorkPackage): readonly string[] {
  const isUnderWay = wp.lane === 'doing' || wp.lane === 'for_review';
  const wanted = ['lane', 'agent', ...(isUnderWay ? ['assignee'] : []), 'shell_pid'];
  return wanted.filter((key) => wpText(wp.file, key) === undefined).map((key) => `${wp.id}: ${key} is missing`);
}

function activityGaps(wp: WorkPackage): readonly string[] {
  const entries = readLog(wp.file.body);
  const last = entries.at(-1);
  if (last === undefined) return [`${wp.id}: the activity log has no entries`];
  const gaps: string[] = [];
  if (!hasEntryFor(wp.lane, entries)) gaps.push(`${wp.id}: the activity log has no entry for ${wp.lane}`);
  else if (wp.lane === 'done' && laneOf(last) !== 'done')
    gaps.push(`${wp.id}: it is done, and the last entry of the activity log says ${last.lane}`);
  return gaps;
}

function hasEntryFor(lane: Lane, entries: readonly LogEntry[]): boolean {
  return entries.some((entry) => laneOf(entry) === lane);
}

function laneOf(entry: LogEntry): string {
  return readLane(entry.lane) ?? entry.lane;
}

/** Written by the commands themselves, acceptance included. */
function isOwn({ featureDir }: AcceptanceFacts, path: string): boolean {
  const own = [`${featureDir}/tasks.md`, `${featureDir}/meta.json`];
  return own.includes(path) || path.startsWith(`${featureDir}/tasks/`);
}

function summaryOf(wp: WorkPackage): WpSummary {
  const entries = readLog(wp.file.body);
  const text = (key: string): string | null => wpText(wp.file, key) ?? null;
  return {
    id: wp.id,
    title: wp.title,
    lane: wp.lane,
    path: wp.relativePath,
    latest_lane: entries.at(-1)?.lane ?? null,
    has_lane_entry: hasEntryFor(wp.lane, entries),
    metadata: {
      lane: text('lane'),
      agent: text('agent'),
      assignee: text('assignee'),
      shell_pid: text('shell_pid'),
    },
  };
}

function warningsOf(facts: AcceptanceFacts): readonly string[] {
  const { featureDir, target, wps } = facts;
  // What acceptance itself commits needs no word.
  const taken = [
    `${featureDir}/meta.json`,
    ...wps.filter((wp) => wp.lane === 'for_review').map((wp) => wp.relativePath),
  ];
  const left = facts.dirty.map(({ path }) => path).filter((path) => isOwn(facts, path) && !taken.includes(path));
  return [
    ...facts.unmerged.map(
      (id) =>
        `${id}: its branch ${facts.feature}-${id} has commits that ${target ?? 'the target branch'} does not have.`,
    ),
    ...facts.strayFiles.map((name) => `${featureDir}/tasks/${name} is not counted: ids are WP01 to WP99.`),
    ...left.map((path) => `${path} is not committed, and acceptance leaves it so.`),
  ];
}
