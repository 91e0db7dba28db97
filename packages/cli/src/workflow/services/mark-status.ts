/**
 * `agent tasks mark-status`: checks or clears the boxes of subtasks, or moves packages, depending on which ids it is
 * given. A package whose first box is checked has begun: its lane follows, so that the board does too.
 */
import { join } from 'node:path';

import { historyAdded } from '@spec-kitty/events-sdk';
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { naming, WorkflowError } from '../errors.ts';
import { setBoxes, type BoxesSet, type BoxPlace } from '../files/tasks-boxes.ts';
import { readText } from '../files/text-files.ts';
import type { Commit } from '../git/commit.ts';
import type { Place } from '../ports.ts';
import { detectFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import { changeFeature, type FeatureWork } from '../project/feature-work.ts';
import { findProject } from '../project/project-root.ts';
import { changeLanes, type LaneMove, type Transition } from '../project/transition.ts';
import type { Happening } from '../project/unsent.ts';
import { findWp, wpText } from '../project/wp-file.ts';
import { parseLane } from '../rules/lanes.ts';
import { parseWpId, readWpId } from '../rules/wp-id.ts';
import { beginFields, judgeWish, namedAgent } from './move-request.ts';
import type { MoveDeps } from './move-task.ts';

/** What the user asked for. */
export interface MarkStatusInput extends Place {
  /** Subtask ids (`T001`) or package ids (`WP01`), not both. */
  readonly ids: readonly string[];
  /** `done` or `pending`; for packages any lane, `pending` meaning planned. */
  readonly status: string;
  readonly feature?: string;
  /** The package a subtask id belongs to, where it stands in several. */
  readonly wp?: string;
  /** Who did it. Default: `SPEC_KITTY_AGENT`, else the package's agent, else `user`. */
  readonly agent?: string;
  /** Process that runs the command: recorded for a package that begins. */
  readonly callerPid?: number;
  /** For packages: why. */
  readonly note?: string;
  /** For packages: without the guards. */
  readonly force?: boolean;
  /** False leaves the files changed and not committed. Default true. */
  readonly autoCommit?: boolean;
}

/** The JSON answer. */
export interface MarkStatusResult {
  readonly result: 'success';
  readonly feature: string;
  readonly status: string;
  /** Ids that changed. */
  readonly updated: readonly string[];
  /** Ids that stood so already. */
  readonly unchanged: readonly string[];
  readonly not_found: readonly string[];
  /** Number of ids in `updated`. */
  readonly count: number;
  /** Lanes that changed. */
  readonly moved: readonly { readonly wp_id: string; readonly previous: Lane; readonly next: Lane }[];
  readonly commit_hash: string | null;
  readonly events_emitted: number;
  readonly causation_id: string | null;
  readonly warnings: readonly string[];
}

interface Marked {
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  readonly notFound: readonly string[];
  readonly transitions: readonly Transition[];
  readonly commit: Commit | undefined;
  readonly warnings: readonly string[];
}

/** Runs it. Emits a HistoryAdded per package whose boxes changed, and a WPStatusChanged per lane that changed. */
export async function markStatus(deps: MoveDeps, input: MarkStatusInput): Promise<MarkStatusResult> {
  const agentId = namedAgent(input);
  const [only, ...others] = input.ids.map(readWpId);
  try {
    const project = await findProject(deps.git, input);
    const kind = kindOf(input.ids);
    const status = statusOf(kind, input.status);
    const feature = await detectFeature(deps.git, project, input);
    const words = `mark-status ${input.ids.join(' ')} --status ${input.status}`;
    const retry = input.retype?.(feature.slug) ?? `spec-kitty agent tasks ${words} --feature ${feature.slug}`;
    const target = await requireTargetBranch(deps.git, project, feature, retry);
    const { result, told } = await changeFeature(deps, project, feature, (work) =>
      kind === 'packages' ? markPackages(deps, work, { input, target }) : markBoxes(deps, work, input),
    );
    return {
      result: 'success',
      feature: feature.slug,
      status,
      updated: result.updated,
      unchanged: result.unchanged,
      not_found: result.notFound,
      count: result.updated.length,
      moved: result.transitions.map(({ wpId, previous, next }) => ({ wp_id: wpId, previous, next })),
      commit_hash: result.commit?.hash ?? null,
      events_emitted: told.recorded,
      causation_id: told.causationId,
      warnings: result.warnings,
    };
  } catch (cause) {
    // With several packages nobody can say which one; the guards name theirs.
    const wpId = others.length === 0 ? only : undefined;
    throw naming(cause, { ...(wpId === undefined ? {} : { wpId }), ...(agentId === undefined ? {} : { agentId }) });
  }
}

function kindOf(ids: readonly string[]): 'packages' | 'subtasks' {
  if (ids.every((id) => /^wp/i.test(id.trim()))) {
    ids.forEach(parseWpId);
    return 'packages';
  }
  const strange = ids.find((id) => !/^t\d{3,}$/i.test(id.trim()));
  if (strange === undefined) return 'subtasks';
  const isMixed = ids.some((id) => /^wp/i.test(id.trim())) && ids.some((id) => /^t\d/i.test(id.trim()));
  throw isMixed
    ? new WorkflowError('ids-mixed', 'Subtasks and packages cannot be marked in one call.', {
        remedy: 'Mark the subtasks first, then the packages.',
      })
    : new WorkflowError(
        'task-id-invalid',
        `"${strange}" is neither a subtask id like T001 nor a package id like WP01.`,
        {
          remedy: 'spec-kitty agent tasks status',
        },
      );
}

/** The status as it is answered. */
function statusOf(kind: 'packages' | 'subtasks', status: string): string {
  if (kind === 'packages') return parseLane(status);
  const word = status.trim().toLowerCase();
  if (word === 'done' || word === 'pending') return word;
  throw new WorkflowError('status-unknown', `A subtask is done or pending, not "${status}".`, {
    remedy: 'Use --status done or --status pending.',
  });
}

/** The same way as move-task, for several packages in one commit. */
async function markPackages(
  deps: MoveDeps,
  work: FeatureWork,
  { input, target }: { readonly input: MarkStatusInput; readonly target: string },
): Promise<Marked> {
  const { project, feature } = work;
  const to = parseLane(input.status);
  const ids = [...new Set(input.ids.map(parseWpId))].toSorted();
  const moves: LaneMove[] = [];
  const unchanged: string[] = [];
  for (const id of ids) {
    const wp = findWp(feature, id);
    if (wp.lane === to) unchanged.push(id);
    else moves.push(await judgeWish(deps, { project, feature, wp, target }, { ...input, to }));
  }
  const moved = moves.map(({ wp }) => wp.id);
  if (moves.length === 0) return { ...nothing, unchanged };
  const change = await changeLanes(deps, work, {
    moves,
    message: `chore: Move ${moved.join(', ')} to ${to} on spec ${feature.number}`,
    commit: input.autoCommit !== false,
  });
  const warnings = change.transitions.flatMap((transition) => transition.warnings);
  return { ...nothing, ...change, updated: moved, unchanged, warnings };
}

const nothing: Marked = {
  updated: [],
  unchanged: [],
  notFound: [],
  transitions: [],
  commit: undefined,
  warnings: [],
};

async function markBoxes(deps: MoveDeps, work: FeatureWork, input: MarkStatusInput): Promise<Marked> {
  const { feature, project } = work;
  const path = `${feature.relativeDir}/tasks.md`;
  const source = readText(join(project.root, path), path);
  if (source === undefined)
    throw new WorkflowError('tasks-missing', `${path} does not exist, so it has no subtasks.`, {
      remedy: `spec-kitty agent tasks scaffold --feature ${feature.slug} --wp "First title"`,
    });
  const checked = input.status.trim().toLowerCase() === 'done';
  const ids = input.ids.map((id) => id.trim().toUpperCase());
  const boxes = setBoxes(source, ids, { checked, ...(input.wp === undefined ? {} : { wpId: parseWpId(input.wp) }) });
  refuseUnclear(input, feature, boxes);
  const warnings = [
    ...(boxes.notFound.length === 0 ? [] : [`Not found in ${path}: ${boxes.notFound.join(', ')}.`]),
    ...boxes.flipped
      .filter(({ wpId }) => wpId === undefined)
      .map(({ id }) => `${id} stands outside of every package in ${path}: the board learns nothing of it.`),
  ];
  const unchanged = boxes.already.map(({ id }) => id);
  if (boxes.flipped.length === 0)
    return { ...nothing, unchanged: [...new Set(unchanged)], notFound: boxes.notFound, warnings };

  const owners = ownersOf(boxes.flipped);
  const moves = checked ? await begun(deps, work, [...owners.keys()], input) : [];
  const updated = boxes.flipped.map(({ id }) => id);
  const [only] = updated;
  const what = updated.length === 1 && only !== undefined ? only : `${updated.length} subtasks`;
  const change = await changeLanes(deps, work, {
    moves,
    files: [{ path, text: boxes.text }],
    tells: [...owners].map(([wpId, places]) =>
      historyOf(work, { wpId, places, text: boxes.text, path, input, checked }),
    ),
    message: `chore: Mark ${what} as ${checked ? 'done' : 'pending'} on spec ${feature.number}`,
    commit: input.autoCommit !== false,
  });
  return { ...change, updated, unchanged: [...new Set(unchanged)], notFound: boxes.notFound, warnings };
}

function refuseUnclear(input: MarkStatusInput, feature: Feature, boxes: BoxesSet): void {
  const [unclear] = boxes.ambiguous;
  if (unclear !== undefined) {
    const owners = [...new Set(unclear.places.map(({ wpId }) => wpId ?? 'no package'))];
    const other = owners.find((owner) => owner !== 'no package');
    throw new WorkflowError(
      'task-ambiguous',
      `${unclear.id} stands ${unclear.places.length} times in ${feature.relativeDir}/tasks.md (${owners.join(', ')}); nothing was marked.`,
      {
        details: {
          ambiguous: boxes.ambiguous.map(({ id, places }) => ({ id, wps: places.map(({ wpId }) => wpId ?? null) })),
        },
        remedy:
          other === undefined || owners.length === 1
            ? `Give each subtask of ${feature.relativeDir}/tasks.md an id of its own.`
            : `${input.retype?.() ?? `spec-kitty agent tasks mark-status ${unclear.id} --status ${input.status}`} --wp ${other}`,
      },
    );
  }
  if (boxes.flipped.length > 0 || boxes.already.length > 0) return;
  throw new WorkflowError(
    'task-not-found',
    `${feature.relativeDir}/tasks.md has no box for ${boxes.notFound.join(', ')}${input.wp === undefined ? '' : ` in ${input.wp}`}.`,
    {
      details: { not_found: boxes.notFound },
      remedy: `grep -n "\\[[ xX]\\?\\]" ${feature.relativeDir}/tasks.md`,
    },
  );
}

function ownersOf(flipped: readonly BoxPlace[]): ReadonlyMap<string, readonly BoxPlace[]> {
  const owners = new Map<string, BoxPlace[]>();
  for (const place of flipped) {
    if (place.wpId !== undefined) owners.set(place.wpId, [...(owners.get(place.wpId) ?? []), place]);
  }
  return new Map([...owners].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface HistoryFacts {
  readonly wpId: string;
  readonly places: readonly BoxPlace[];
  readonly text: string;
  readonly path: string;
  readonly input: MarkStatusInput;
  readonly checked: boolean;
}

function historyOf(work: FeatureWork, { wpId, places, text, path, input, checked }: HistoryFacts): Happening {
  const ids = places.map(({ id }) => id).join(', ');
  const draft = historyAdded({
    wpId,
    entryType: 'note',
    entryContent: `Subtask(s) ${ids} marked as ${checked ? 'done' : 'pending'}`,
    author: namedAgent(input) ?? agentOf(work.feature, wpId) ?? 'user',
  });
  const line = text.split('\n')[places[0]?.line ?? 0] ?? '';
  return { draft, evidence: { path, text: line.replace(/^\uFEFF|\r$/g, '') } };
}

/** Sections without a file, and files nobody can read, have no agent. */
function agentOf(feature: Feature, wpId: string): string | undefined {
  try {
    return wpText(findWp(feature, wpId).file, 'agent');
  } catch {
    return undefined;
  }
}

/** Planned packages of which a box was checked: work has begun, without a workspace of ours. */
async function begun(
  deps: MoveDeps,
  { project, feature }: FeatureWork,
  ids: readonly string[],
  input: MarkStatusInput,
): Promise<readonly LaneMove[]> {
  const planned = ids.flatMap((id) => {
    try {
      const wp = findWp(feature, id);
      return wp.lane === 'planned' ? [wp] : [];
    } catch {
      return [];
    }
  });
  return Promise.all(
    planned.map(async (wp) => {
      const agent = namedAgent(input) ?? wpText(wp.file, 'agent') ?? 'user';
      const fields = await beginFields(deps, { project, wp }, { ...input, agent });
      return { wp, to: 'doing' as const, agent, note: 'First subtask done', fields };
    }),
  );
}
