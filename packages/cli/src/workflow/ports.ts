/**
 * What the workflow services need from outside. Each service takes the part it uses, so that a command
 * composes them once and a test replaces only what it owns.
 */
import type { Time } from '@spec-kitty/events-sdk';
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

/** What one git call answered. Output is UTF-8, without its last line break. */
export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The git binary. Never rejects for a non-zero exit; rejects with `git-missing` when there is no git at all. */
export interface Git {
  run(
    cwd: string,
    args: readonly string[],
    /** `limitMs` ends a call that may hang on a network; it then answers exit code 124. */
    options?: { readonly limitMs?: number },
  ): Promise<GitAnswer>;
  /** Resolves after `delayMs`: between two tries at a locked index. Keeps the process alive meanwhile. */
  pause(delayMs: number): Promise<void>;
}

/** A lock that other processes respect. */
export interface Lock {
  /** Runs `work` while this process alone holds `path`; its parent directory exists. Rejects when the wait is too long. */
  hold<T>(path: string, work: () => Promise<T>): Promise<T>;
}

/** What became of a draft: on disk, to be told again later (the queue was full or unusable), or never (it broke the contract). */
export type Fate = 'recorded' | 'untold' | 'refused';

/** Where events go. Never rejects: an event that cannot be recorded is the emitter's warning, not our failure. */
export interface WorkflowEvents {
  /** Answers the fate of every draft, in order; what was not recorded has been warned about. */
  emit(drafts: readonly Draft<SpecKittyEvents>[], options: { readonly projectRoot: string }): Promise<readonly Fate[]>;
}

/** Called with one short line per step that takes time, e.g. `Creating workspace 004-x-WP01`. */
export type Progress = (step: string) => void;

/** Everything the services may need; each names the part it takes. */
export interface WorkflowDeps {
  readonly git: Git;
  readonly lock: Lock;
  readonly time: Time;
  readonly events: WorkflowEvents;
  readonly progress: Progress;
  /** A fresh ULID, for the causation id of a batch. */
  readonly newUlid: () => string;
  /** What every event is the consequence of, where many commands serve one action: a run of agents. */
  readonly causationId?: string;
  /** Derives a project's identity (uuid4, slug, node id) without writing anything. */
  readonly createIdentity: (root: string) => Promise<ProjectIdentity>;
  /** Version written into `.kittify/metadata.yaml`. */
  readonly version: string;
}

/** Who a project is to the server. */
export interface ProjectIdentity {
  readonly uuid: string;
  readonly slug: string;
  readonly nodeId: string;
}

/** Where a command runs: the directory, and the environment variables that steer it. */
export interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The command as it was typed, with another feature if one is given; remedies then name it, flags and all. */
  readonly retype?: (feature?: string) => string;
}
