/**
 * Builders for the eight Spec Kitty events: camelCase facts in, a draft with the contract's snake_case
 * payload out. The only place where the two spellings meet. Nothing is checked here: the emitter does.
 */
import type { Draft } from '../contract/event-map.ts';
import type { Lane, SpecKittyEvents } from '../contract/spec-kitty-events.ts';

type SpecKittyDraft<T extends keyof SpecKittyEvents> = Draft<SpecKittyEvents, T>;

/** What every builder takes beside the event's own facts. */
interface Causal {
  /** ULID of the action this event belongs to. Default: none. */
  readonly causationId?: string | null;
}

/** A work package moved from one lane to another (FR-008). */
export interface WpStatusChangedInput extends Causal {
  readonly wpId: string;
  readonly previousStatus: Lane;
  readonly newStatus: Lane;
  /** Agent or person. Default `user`. */
  readonly changedBy?: string;
  readonly featureSlug?: string | null;
}

export function wpStatusChanged(input: WpStatusChangedInput): SpecKittyDraft<'WPStatusChanged'> {
  return {
    type: 'WPStatusChanged',
    payload: {
      wp_id: input.wpId,
      previous_status: input.previousStatus,
      new_status: input.newStatus,
      changed_by: input.changedBy ?? 'user',
      feature_slug: input.featureSlug ?? null,
    },
    causationId: input.causationId ?? null,
  };
}

/** A work package came into being (FR-009). */
export interface WpCreatedInput extends Causal {
  readonly wpId: string;
  readonly title: string;
  readonly featureSlug: string;
  /** Ids of the packages it waits for. Default none. */
  readonly dependencies?: readonly string[];
}

export function wpCreated(input: WpCreatedInput): SpecKittyDraft<'WPCreated'> {
  return {
    type: 'WPCreated',
    payload: {
      wp_id: input.wpId,
      title: input.title,
      dependencies: [...(input.dependencies ?? [])],
      feature_slug: input.featureSlug,
    },
    causationId: input.causationId ?? null,
  };
}

/** An agent took a work package (FR-010). */
export interface WpAssignedInput extends Causal {
  readonly wpId: string;
  readonly agentId: string;
  readonly phase: 'implementation' | 'review';
  /** Earlier assignments of this package in this phase. Default 0. */
  readonly retryCount?: number;
}

export function wpAssigned(input: WpAssignedInput): SpecKittyDraft<'WPAssigned'> {
  return {
    type: 'WPAssigned',
    payload: { wp_id: input.wpId, agent_id: input.agentId, phase: input.phase, retry_count: input.retryCount ?? 0 },
    causationId: input.causationId ?? null,
  };
}

/** A feature came into being (FR-011). */
export interface FeatureCreatedInput extends Causal {
  readonly featureSlug: string;
  /** Three digits, as text. */
  readonly featureNumber: string;
  readonly targetBranch: string;
  readonly wpCount: number;
  /** ISO 8601 date-time; left out of the payload when not given. */
  readonly createdAt?: string;
}

export function featureCreated(input: FeatureCreatedInput): SpecKittyDraft<'FeatureCreated'> {
  return {
    type: 'FeatureCreated',
    payload: {
      feature_slug: input.featureSlug,
      feature_number: input.featureNumber,
      target_branch: input.targetBranch,
      wp_count: input.wpCount,
      ...(input.createdAt === undefined ? {} : { created_at: input.createdAt }),
    },
    causationId: input.causationId ?? null,
  };
}

/** All work packages of a feature are done (FR-012). */
export interface FeatureCompletedInput extends Causal {
  readonly featureSlug: string;
  readonly totalWps: number;
  /** ISO 8601 date-time; left out of the payload when not given. */
  readonly completedAt?: string;
  /** Free text, e.g. `812.4s`; left out of the payload when not given. */
  readonly totalDuration?: string | null;
}

export function featureCompleted(input: FeatureCompletedInput): SpecKittyDraft<'FeatureCompleted'> {
  return {
    type: 'FeatureCompleted',
    payload: {
      feature_slug: input.featureSlug,
      total_wps: input.totalWps,
      ...(input.completedAt === undefined ? {} : { completed_at: input.completedAt }),
      ...(input.totalDuration === undefined ? {} : { total_duration: input.totalDuration }),
    },
    causationId: input.causationId ?? null,
  };
}

/** A line was added to a work package's history (FR-013). */
export interface HistoryAddedInput extends Causal {
  readonly wpId: string;
  readonly entryType: 'note' | 'review' | 'error' | 'comment';
  readonly entryContent: string;
  /** Default `user`. */
  readonly author?: string;
}

export function historyAdded(input: HistoryAddedInput): SpecKittyDraft<'HistoryAdded'> {
  return {
    type: 'HistoryAdded',
    payload: {
      wp_id: input.wpId,
      entry_type: input.entryType,
      entry_content: input.entryContent,
      author: input.author ?? 'user',
    },
    causationId: input.causationId ?? null,
  };
}

/** Work failed (FR-014). */
export interface ErrorLoggedInput extends Causal {
  readonly errorType: 'validation' | 'runtime' | 'network' | 'auth' | 'unknown';
  readonly errorMessage: string;
  /** These three are left out of the payload when not given. */
  readonly wpId?: string | null;
  readonly stackTrace?: string | null;
  readonly agentId?: string | null;
}

export function errorLogged(input: ErrorLoggedInput): SpecKittyDraft<'ErrorLogged'> {
  return {
    type: 'ErrorLogged',
    payload: {
      error_type: input.errorType,
      error_message: input.errorMessage,
      ...(input.wpId === undefined ? {} : { wp_id: input.wpId }),
      ...(input.stackTrace === undefined ? {} : { stack_trace: input.stackTrace }),
      ...(input.agentId === undefined ? {} : { agent_id: input.agentId }),
    },
    causationId: input.causationId ?? null,
  };
}

/** A package no longer waits for another (FR-015). */
export interface DependencyResolvedInput extends Causal {
  /** The package that waited. */
  readonly wpId: string;
  /** The package it waited for. */
  readonly dependencyWpId: string;
  readonly resolutionType: 'completed' | 'skipped' | 'merged';
}

export function dependencyResolved(input: DependencyResolvedInput): SpecKittyDraft<'DependencyResolved'> {
  return {
    type: 'DependencyResolved',
    payload: { wp_id: input.wpId, dependency_wp_id: input.dependencyWpId, resolution_type: input.resolutionType },
    causationId: input.causationId ?? null,
  };
}
