/** What happens in a run, as it happens: for a display, and one line each under `--json` (therefore snake_case). */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import type { FailureClass, Role, RunStatus } from './run-state.ts';

/** One change. Text of agents is redacted by whoever shows it. */
export type RunChange =
  | {
      readonly kind: 'started';
      readonly run_id: string;
      readonly feature: string;
      readonly resumed: boolean;
      readonly packages: readonly { readonly wp_id: string; readonly status: string }[];
    }
  /** An agent begins. */
  | {
      readonly kind: 'assigned';
      readonly wp_id: string;
      readonly role: Role;
      readonly agent: string;
      readonly retry_count: number;
      /** The same agent once more after a failure. */
      readonly is_retry: boolean;
      /** The reviewer wrote it: nobody else can. */
      readonly self_review: boolean;
    }
  | { readonly kind: 'log'; readonly wp_id: string; readonly log_file: string }
  | { readonly kind: 'lane'; readonly wp_id: string; readonly previous: Lane; readonly next: Lane }
  /** A run of an agent came to nothing. */
  | {
      readonly kind: 'attempt-failed';
      readonly wp_id: string;
      readonly role: Role;
      readonly agent: string;
      readonly class: FailureClass;
      readonly message: string;
    }
  | { readonly kind: 'rejected'; readonly wp_id: string; readonly agent: string; readonly reason: string }
  | { readonly kind: 'completed'; readonly wp_id: string }
  | { readonly kind: 'failed'; readonly wp_id: string; readonly message: string }
  /** Somebody should know, and the run goes on. */
  | { readonly kind: 'warning'; readonly message: string }
  | ({ readonly kind: 'ended' } & RunSummary);

/** A run, looked back at. */
export interface RunSummary {
  readonly run_id: string;
  readonly feature: string;
  readonly status: RunStatus;
  readonly pause_reason: string | null;
  /** Commands that lead on from a paused run. */
  readonly ways_on: readonly string[];
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly duration_seconds: number;
  readonly agents: readonly string[];
  readonly work_packages: readonly {
    readonly wp_id: string;
    readonly status: string;
    readonly implementation_agent: string | null;
    readonly review_agent: string | null;
    readonly last_error: string | null;
    readonly log_file: string | null;
  }[];
}
