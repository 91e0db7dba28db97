/**
 * `sync reconcile`: tells the team what no command told it. Lanes that a pull, a revert or an editor changed, and whole
 * features from before the first sync: what this clone last told is held against the files, and the difference goes out.
 * Nothing is committed and no file of the project is written.
 */
import { wpStatusChanged } from '@spec-kitty/events-sdk';
import type { Draft, Lane, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { isWorkflowError, WorkflowError } from '../errors.ts';
import { metaTarget, readMeta } from '../files/meta-json.ts';
import { aBranch, headBranch } from '../git/repository.ts';
import type { Git, Place, WorkflowDeps } from '../ports.ts';
import { boardAfter, readBoard } from '../project/board.ts';
import { boardGap, type BoardGap } from '../project/board-gap.ts';
import { listFeatures, openFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import { changeFeature, leftOver, type Told } from '../project/feature-work.ts';
import { findProject, type Project } from '../project/project-root.ts';
import { quoted } from '../rules/shell-word.ts';
import { canBeAnnounced, draftsOf, readEveryWp, readPlan } from './announcement.ts';

/** What the user asked for. */
export interface ReconcileInput extends Place {
  /** Only this one. Default: every feature whose target branch is checked out. */
  readonly feature?: string;
  /** Show, and change nothing. */
  readonly dryRun?: boolean;
  /** Tell everything again, as if nothing had been told: for a lost home or another server. */
  readonly all?: boolean;
}

/** One feature in the answer. */
export interface ReconciledFeature {
  readonly feature: string;
  /** True when the feature itself was announced. */
  readonly created: boolean;
  readonly packages_created: readonly string[];
  readonly moved: readonly { readonly wp_id: string; readonly previous: Lane; readonly next: Lane }[];
  readonly warnings: readonly string[];
}

/** A file that cannot be read, or a feature that could not be looked at. */
export interface UnreconciledFeature {
  readonly feature: string;
  readonly code: string;
  readonly error: string;
}

/** The JSON answer. Features are sorted by name, packages by id. */
export interface ReconcileResult {
  readonly result: 'success';
  readonly features: readonly ReconciledFeature[];
  /** Their target branch is not the one checked out: their files here are not the truth. */
  readonly skipped: readonly { readonly feature: string; readonly target_branch: string }[];
  readonly events_emitted: number;
  /** Not recorded now; kept beside the repository and told by the next command that works on the feature. */
  readonly events_dropped: number;
  readonly dry_run: boolean;
  readonly warnings: readonly string[];
}

type ReconcileDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'events' | 'newUlid' | 'progress'>;

/** What was found in one feature, and what became of it. */
interface Found {
  readonly reconciled: ReconciledFeature;
  readonly failed: readonly UnreconciledFeature[];
  readonly told?: Told;
}

/** Runs it. Rejects with `reconcile-incomplete` once all others are told, when a feature or a file could not be read. */
export async function reconcile(deps: ReconcileDeps, input: ReconcileInput): Promise<ReconcileResult> {
  const project = await findProject(deps.git, input);
  const head = await checkedOut(deps.git, project, input);
  const named = input.feature?.trim();
  const slugs =
    named === undefined ? listFeatures(project.root) : [openFeature(project.root, named, input.retype).slug];
  const found: Found[] = [];
  const failed: UnreconciledFeature[] = [];
  const skipped: { feature: string; target_branch: string }[] = [];
  for (const slug of slugs) {
    try {
      const feature = openFeature(project.root, slug);
      const target = metaTarget(readMeta(feature.dir, slug), slug) ?? head;
      if (target === head) {
        deps.progress(`Comparing ${slug}`);
        const one = await reconcileFeature(deps, { project, feature, target, input });
        found.push(one);
        failed.push(...one.failed);
      } else if (named === undefined) skipped.push({ feature: slug, target_branch: target });
      else await requireTargetBranch(deps.git, project, feature, retry(input));
    } catch (cause) {
      if (!isWorkflowError(cause) || cause.code === 'wrong-branch') throw cause;
      failed.push({ feature: slug, code: cause.code, error: cause.message });
    }
  }
  const result: ReconcileResult = {
    result: 'success',
    features: found.map(({ reconciled }) => reconciled),
    skipped,
    events_emitted: found.reduce((sum, { told }) => sum + (told?.recorded ?? 0), 0),
    events_dropped: found.reduce((sum, { told }) => sum + (told?.lost ?? 0), 0),
    dry_run: input.dryRun === true,
    warnings: await behindUpstream(deps.git, project, head),
  };
  if (failed.length > 0) throw incomplete(result, failed);
  return result;
}

interface OneFeature {
  readonly project: Project;
  readonly feature: Feature;
  readonly target: string;
  readonly input: ReconcileInput;
}

async function reconcileFeature(deps: ReconcileDeps, one: OneFeature): Promise<Found> {
  if (one.input.dryRun === true) return (await difference(deps.git, one)).found;
  const { result, told } = await changeFeature(deps, one.project, one.feature, async ({ willTell }) => {
    const { found, drafts } = await difference(deps.git, one);
    willTell(drafts.map((draft) => ({ draft })));
    return found;
  });
  return { ...result, told };
}

/** What the team has to be told, in the order it is told: the feature, its packages, their lanes. */
async function difference(
  git: Git,
  one: OneFeature,
): Promise<{ readonly found: Found; readonly drafts: readonly Draft<SpecKittyEvents>[] }> {
  const { project, feature, input } = one;
  const { wps, unreadable } = readEveryWp(feature);
  const { waiting, overtaken } = leftOver(project, feature);
  const gap = boardGap({
    told: boardAfter(readBoard(project, feature.slug), overtaken),
    waiting,
    lanes: new Map(wps.map((wp) => [wp.id, wp.lane])),
    unreadable: unreadable.map(({ id }) => id),
    all: input.all === true,
  });
  const announced = await announcement(git, one, gap);
  const warnings = [
    ...announced.warnings,
    ...gap.gone.map((id) => `The team was told of ${id} of ${feature.slug}, but its file is gone; its card stays.`),
    ...(input.dryRun === true && waiting.length > 0
      ? [
          `${waiting.length === 1 ? '1 event' : `${waiting.length} events`} of earlier commands on ${feature.slug} ` +
            `${waiting.length === 1 ? 'waits' : 'wait'} to be told and will go first.`,
        ]
      : []),
  ];
  return {
    drafts: [
      ...announced.drafts,
      ...gap.moved.map(({ wpId, previous, next }) =>
        wpStatusChanged({
          wpId,
          previousStatus: previous,
          newStatus: next,
          changedBy: 'reconcile',
          featureSlug: feature.slug,
        }),
      ),
    ],
    found: {
      reconciled: {
        feature: feature.slug,
        created: announced.drafts.some(({ type }) => type === 'FeatureCreated'),
        packages_created: gap.created,
        moved: gap.moved.map(({ wpId, previous, next }) => ({ wp_id: wpId, previous, next })),
        warnings,
      },
      failed: unreadable.map(({ cause }) => ({ feature: feature.slug, code: cause.code, error: cause.message })),
    },
  };
}

/** The part of the feature's announcement that was not heard. Its facts are read only when there is one. */
async function announcement(
  git: Git,
  { project, feature, target }: OneFeature,
  gap: BoardGap,
): Promise<{ readonly drafts: readonly Draft<SpecKittyEvents>[]; readonly warnings: readonly string[] }> {
  const isNamedWell = canBeAnnounced(feature.slug);
  const warnings =
    gap.announce && !isNamedWell
      ? [`${feature.slug} cannot be announced: the team's server takes lower-case letters, digits and hyphens only.`]
      : [];
  if (gap.created.length === 0 && !(gap.announce && isNamedWell)) return { drafts: [], warnings };
  const { announcement: facts } = await readPlan(git, project, feature, target);
  const drafts = draftsOf(facts).filter((draft) => {
    if (draft.type === 'FeatureCreated') return gap.announce && isNamedWell;
    return draft.type === 'WPCreated' && gap.created.includes(draft.payload.wp_id);
  });
  return { drafts, warnings };
}

/** The branch of the main checkout. Without one no feature's files can be taken for the truth. */
async function checkedOut(git: Git, project: Project, input: ReconcileInput): Promise<string> {
  const head = await headBranch(git, project.gitCommonDir);
  if (head !== undefined) return head;
  throw new WorkflowError(
    'detached-head',
    'The main checkout has a detached HEAD: its files may not be what the branches say.',
    { remedy: `git switch ${quoted(await aBranch(git, project.root))} && ${retry(input)}` },
  );
}

function retry(input: ReconcileInput): string {
  return input.retype?.() ?? 'spec-kitty sync reconcile';
}

/** As git knows from the last fetch; no network is asked. */
async function behindUpstream(git: Git, project: Project, head: string): Promise<readonly string[]> {
  const answer = await git.run(project.root, ['rev-list', '--count', 'HEAD..@{upstream}']);
  const count = answer.exitCode === 0 ? Number(answer.stdout.trim()) : 0;
  if (count === 0) return [];
  const commits = count === 1 ? '1 commit' : `${count} commits`;
  return [`${head} is ${commits} behind its upstream: git pull first, or the team hears of older lanes.`];
}

function incomplete(result: ReconcileResult, failed: readonly UnreconciledFeature[]): WorkflowError {
  const [first] = failed;
  const count = new Set(failed.map(({ feature }) => feature)).size;
  const told = result.dry_run
    ? 'Nothing was told: this was a dry run.'
    : `Everything else was compared; events recorded: ${result.events_emitted}.`;
  return new WorkflowError(
    'reconcile-incomplete',
    [
      `${count === 1 ? (first?.feature ?? '') : `${count} features`} could not be compared in full.`,
      ...failed.map(({ feature, error }) => `${feature}: ${error}`),
      told,
    ].join('\n'),
    { details: { ...result, result: 'incomplete', failed } },
  );
}
