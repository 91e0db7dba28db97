/**
 * The one way a command changes a feature: as its only writer, and telling afterwards what it did. Events that an
 * earlier command could not tell go first, so that the order on the board is the order of the work.
 */
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import type { Fate, WorkflowDeps } from '../ports.ts';
import { rememberTold } from './board.ts';
import { withFeatureLock } from './feature-lock.ts';
import type { Feature } from './feature.ts';
import type { Project } from './project-root.ts';
import { findWp } from './wp-file.ts';
import { hasHappened, readNotes, writeNote, type Happening, type Note } from './unsent.ts';

/** What such a command works with. */
export interface FeatureWork {
  readonly project: Project;
  readonly feature: Feature;
  /**
   * Says what the change about to be made will tell; before its first write. Several events at once get one causation
   * id, unless they have one.
   */
  willTell(happenings: readonly Happening[]): void;
}

/** What became of the events, those of killed commands included. */
export interface Told {
  readonly recorded: number;
  /** Not recorded now; a warning has said why. */
  readonly lost: number;
  /** What the events of this command have in common; null where one stands alone. */
  readonly causationId: string | null;
}

type TellingDeps = Pick<WorkflowDeps, 'lock' | 'events' | 'newUlid' | 'causationId'>;

/**
 * Runs `change` as the only writer of the feature and tells what it announced with `willTell`. When `change` rejects it
 * has put everything back, and nothing is told.
 */
export async function changeFeature<T>(
  deps: TellingDeps,
  project: Project,
  feature: Feature,
  change: (work: FeatureWork) => Promise<T>,
): Promise<{ readonly result: T; readonly told: Told }> {
  return withFeatureLock(deps.lock, project, feature.slug, async () => {
    const earlier = readNotes(project, feature.slug).flatMap((note) => note.happenings);
    const fates = [...(await tellLeftOver(deps, project, feature))];
    const notes: Note[] = [];
    const willTell = (happenings: readonly Happening[]): void => {
      if (happenings.length === 0) return;
      const cause = deps.causationId ?? (happenings.length === 1 ? undefined : deps.newUlid());
      const shared = cause === undefined ? happenings : underOneCause(happenings, cause);
      notes.push(writeNote(project, feature.slug, deps.newUlid(), shared));
    };
    let result: T;
    try {
      result = await change({ project, feature, willTell });
    } catch (error) {
      // What is on disk although the change failed did happen; nothing else can have been told.
      for (const note of notes) note.keep(note.happenings.filter((each) => hasHappened(project.root, each)));
      await tellLeftOver(deps, project, feature);
      throw error;
    }
    // Still under the lock: a second command must not take a note for one of a killed command and tell it twice.
    for (const note of notes) fates.push(...(await tell(deps, project, feature, note)));
    const [first] = notes[0]?.happenings ?? earlier;
    const recorded = fates.filter((fate) => fate === 'recorded').length;
    const causationId = recorded === 0 ? null : (first?.draft.causationId ?? null);
    return { result, told: { recorded, lost: fates.length - recorded, causationId } };
  });
}

/** Tells what killed commands, or ones whose events could not be recorded, left behind. */
async function tellLeftOver(deps: TellingDeps, project: Project, feature: Feature): Promise<readonly Fate[]> {
  const fates: Fate[] = [];
  for (const note of readNotes(project, feature.slug)) {
    const { still, overtaken } = sorted(project, feature, note);
    // Whoever left it may have told it just before dying: the board is where this says, as far as anybody knows.
    rememberTold(project, feature.slug, overtaken);
    fates.push(...(await tell(deps, project, feature, { ...note, happenings: still })));
  }
  return fates;
}

/** What earlier commands did and could not tell, as the next command on the feature will find it. */
export interface LeftOver {
  /** Goes before anything else. */
  readonly waiting: readonly Draft<SpecKittyEvents>[];
  /** Perhaps told, perhaps not, and no longer so: not told again. */
  readonly overtaken: readonly Draft<SpecKittyEvents>[];
}

/** Looks, and changes nothing. */
export function leftOver(project: Project, feature: Feature): LeftOver {
  const notes = readNotes(project, feature.slug).map((note) => sorted(project, feature, note));
  return {
    waiting: notes.flatMap(({ still }) => still.map(({ draft }) => draft)),
    overtaken: notes.flatMap(({ overtaken }) => overtaken),
  };
}

function sorted(
  project: Project,
  feature: Feature,
  note: Note,
): { readonly still: readonly Happening[]; readonly overtaken: LeftOver['overtaken'] } {
  return {
    still: note.happenings.filter((each) => hasHappened(project.root, each) && isStillSo(feature, each)),
    // Also where nothing shows that it happened: a revert takes the evidence away with the lane.
    overtaken: note.happenings
      .filter((each) => each.isUntold !== true && !isStillSo(feature, each))
      .map(({ draft }) => draft),
  };
}

/** A package that others have moved on since, in an editor or by a pull: the old word would make the board go back. */
function isStillSo(feature: Feature, { draft }: Happening): boolean {
  if (draft.type !== 'WPStatusChanged') return true;
  try {
    return findWp(feature, draft.payload.wp_id).lane === draft.payload.new_status;
  } catch {
    return false;
  }
}

async function tell(deps: TellingDeps, project: Project, feature: Feature, note: Note): Promise<readonly Fate[]> {
  const drafts = note.happenings.map(({ draft }) => draft);
  const fates = drafts.length === 0 ? [] : await deps.events.emit(drafts, { projectRoot: project.root });
  rememberTold(
    project,
    feature.slug,
    drafts.filter((_, index) => fates[index] === 'recorded'),
  );
  // They have happened by now, whatever becomes of the file that shows it.
  const untold = note.happenings.filter((_, index) => fates[index] === 'untold');
  note.keep(untold.map(({ draft }) => ({ draft, isUntold: true })));
  return fates;
}

function underOneCause(happenings: readonly Happening[], ulid: string): readonly Happening[] {
  return happenings.map((each) => ({ ...each, draft: { causationId: ulid, ...withoutNull(each.draft) } }));
}

/** The builders say null where nobody named a cause. */
function withoutNull(draft: Draft<SpecKittyEvents>): Draft<SpecKittyEvents> {
  const { causationId, ...rest } = draft;
  return causationId === null || causationId === undefined ? rest : draft;
}
