/**
 * The board: what the events of a team say about its features and work packages. A pure projection in causal
 * order (lamport_clock, node_id, event_id), so that the same events give the same board however they arrived.
 */
import { compareEvents } from '../../clock/lamport.ts';
import type { AnyEnvelope } from '../../contract/envelope.ts';
import type { Lane } from '../../contract/spec-kitty-events.ts';

/** A work package another one waits for. */
export interface BoardDependency {
  readonly wpId: string;
  /** Said so by a DependencyResolved, or simply done. */
  readonly resolved: boolean;
}

/** One work package. */
export interface BoardCard {
  readonly wpId: string;
  readonly lane: Lane;
  /** Null until its WPCreated is known. */
  readonly title: string | null;
  readonly dependencies: readonly BoardDependency[];
  /** Who works or worked on it last; null while nobody is known. */
  readonly agent: string | null;
  /** Producer's time of the last lane change (or creation). */
  readonly since: string;
  readonly lastChange: { readonly type: string; readonly at: string; readonly eventId: string };
  readonly notes: number;
  readonly errors: number;
  /** Its status is known but its creation is not: shown, and marked. */
  readonly isUncreated: boolean;
}

/** One feature with its cards, in order of their ids. */
export interface BoardFeature {
  readonly projectUuid: string;
  readonly projectSlug: string | null;
  /** Null for packages whose status never named a feature. */
  readonly featureSlug: string | null;
  /** From FeatureCreated; null until it is known. */
  readonly wpCount: number | null;
  readonly completedAt: string | null;
  readonly cards: readonly BoardCard[];
}

/** A team's board. */
export interface Board {
  readonly team: string;
  readonly features: readonly BoardFeature[];
  readonly eventCount: number;
  /** Events about a package that no event so far put into a feature (DESIGN §4.18). */
  readonly unattached: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CardDraft = Mutable<Omit<BoardCard, 'dependencies'>> & { dependsOn: readonly string[]; resolved: Set<string> };
type FeatureDraft = Mutable<Omit<BoardFeature, 'cards'>> & { cards: Map<string, CardDraft> };

/** Projects a team's events; their order in the list does not matter. */
export function projectBoard(team: string, events: readonly AnyEnvelope[]): Board {
  const projection = createBoardProjection(team);
  for (const event of events.toSorted(compareEvents)) projection.apply(event);
  return projection.board();
}

/** A board that grows: applying a new event costs the same however many there were. */
export interface BoardProjection {
  /** Takes the next event in causal order. False, and nothing changed, when it belongs before one already taken. */
  apply(event: AnyEnvelope): boolean;
  board(): Board;
}

/** A team's board without events. */
export function createBoardProjection(team: string): BoardProjection {
  const features = new Map<string, FeatureDraft>();
  const lastNamed = new Map<string, string>();
  let latest: AnyEnvelope | undefined;
  let eventCount = 0;
  let unattached = 0;

  return {
    apply(event) {
      if (latest !== undefined && compareEvents(event, latest) < 0) return false;
      latest = event;
      eventCount += 1;
      const feature = findFeature(features, lastNamed, event);
      if (feature === undefined) unattached += 1;
      else applyToFeature(feature, event);
      return true;
    },
    board: () => ({
      team,
      features: [...features.values()].map(finishFeature).toSorted(compareFeatures),
      eventCount,
      unattached,
    }),
  };
}

/** The feature an event is about: the one it names, else the one that last named its package on its branch or project. */
function findFeature(
  features: Map<string, FeatureDraft>,
  lastNamed: Map<string, string>,
  event: AnyEnvelope,
): FeatureDraft | undefined {
  const named = text(event.payload['feature_slug']);
  const wpId = text(event.payload['wp_id']);
  const onBranch = JSON.stringify([event.project_uuid, wpId, event.git_branch]);
  const onProject = JSON.stringify([event.project_uuid, wpId]);
  if (named !== null && wpId !== null) {
    lastNamed.set(onProject, named);
    if (event.git_branch !== null) lastNamed.set(onBranch, named);
  }
  const slug = named ?? lastNamed.get(onBranch) ?? lastNamed.get(onProject) ?? null;
  // A lane is worth showing even without a feature; a note without one is not.
  if (slug === null && event.event_type !== 'WPStatusChanged') return undefined;

  const key = JSON.stringify([event.project_uuid, slug]);
  let feature = features.get(key);
  if (feature === undefined) {
    const projectUuid = event.project_uuid ?? '';
    feature = { projectUuid, projectSlug: null, featureSlug: slug, wpCount: null, completedAt: null, cards: new Map() };
    features.set(key, feature);
  }
  feature.projectSlug = event.project_slug ?? feature.projectSlug;
  return feature;
}

function applyToFeature(feature: FeatureDraft, event: AnyEnvelope): void {
  const { payload } = event;
  if (event.event_type === 'FeatureCreated') feature.wpCount = Number(payload['wp_count']);
  if (event.event_type === 'FeatureCompleted') feature.completedAt = text(payload['completed_at']) ?? event.timestamp;
  const wpId = text(payload['wp_id']);
  if (wpId !== null) applyToCard(cardOf(feature, wpId, event), event);
}

function applyToCard(card: CardDraft, event: AnyEnvelope): void {
  const { payload } = event;
  card.lastChange = { type: event.event_type, at: event.timestamp, eventId: event.event_id };
  switch (event.event_type) {
    case 'WPCreated':
      // A second finalize renames; it never moves a card back.
      card.title = text(payload['title']);
      card.dependsOn = Array.isArray(payload['dependencies']) ? payload['dependencies'].map(String) : [];
      card.isUncreated = false;
      break;
    case 'WPStatusChanged': {
      const changedBy = text(payload['changed_by']);
      // The server stores only events whose lanes the contract knows.
      card.lane = payload['new_status'] as Lane;
      card.since = event.timestamp;
      if (card.lane === 'doing' && changedBy !== null) card.agent = changedBy;
      break;
    }
    case 'WPAssigned':
      card.agent = text(payload['agent_id']);
      break;
    case 'HistoryAdded':
      card.notes += 1;
      break;
    case 'ErrorLogged':
      card.errors += 1;
      break;
    case 'DependencyResolved':
      card.resolved.add(String(payload['dependency_wp_id']));
      break;
  }
}

function cardOf(feature: FeatureDraft, wpId: string, event: AnyEnvelope): CardDraft {
  const known = feature.cards.get(wpId);
  if (known !== undefined) return known;
  const card: CardDraft = {
    wpId,
    lane: 'planned',
    title: null,
    dependsOn: [],
    resolved: new Set(),
    agent: null,
    since: event.timestamp,
    lastChange: { type: event.event_type, at: event.timestamp, eventId: event.event_id },
    notes: 0,
    errors: 0,
    isUncreated: true,
  };
  feature.cards.set(wpId, card);
  return card;
}

function finishFeature(feature: FeatureDraft): BoardFeature {
  const isDone = (wpId: string): boolean => feature.cards.get(wpId)?.lane === 'done';
  const cards = [...feature.cards.values()]
    .toSorted((a, b) => compareText(a.wpId, b.wpId))
    .map(({ dependsOn, resolved, ...card }) => ({
      ...card,
      dependencies: dependsOn.map((wpId) => ({ wpId, resolved: resolved.has(wpId) || isDone(wpId) })),
    }));
  return { ...feature, cards };
}

function compareFeatures(a: BoardFeature, b: BoardFeature): number {
  return (
    compareText(a.projectSlug ?? '', b.projectSlug ?? '') ||
    compareText(a.projectUuid, b.projectUuid) ||
    compareText(a.featureSlug ?? '', b.featureSlug ?? '')
  );
}

// Not localeCompare: the order must not depend on where the server runs.
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
