/**
 * What a run of many agents knows, as it stands in `.kittify/orchestration-state.json` (therefore snake_case). Every
 * change is a pure function from one state to the next, so that a run can be stopped anywhere and taken up again.
 * Counts are derived from the packages, never kept beside them.
 */

/** What an agent does with a package. */
export type Role = 'implementation' | 'review';

/**
 * `pending`: waits to be implemented; `rework`: the same, with feedback. `implementation` and `review`: an agent is at
 * work, or is to be started again (see {@link runningRole}).
 */
export type WpStatus = 'pending' | 'implementation' | 'review' | 'rework' | 'completed' | 'failed' | 'skipped';

export type RunStatus = 'pending' | 'running' | 'paused' | 'completed' | 'failed';

/**
 * Why an agent's run came to nothing. `missing`: its program could not be started. `killed`: by a signal that was not
 * ours. `no-verdict`: the review ended without one. `transition`: a lane move was refused. The last three are the run's own.
 */
export type FailureClass =
  | 'timeout'
  | 'auth'
  | 'rate'
  | 'network'
  | 'missing'
  | 'killed'
  | 'general'
  | 'no-verdict'
  | 'transition'
  | 'review-cycles'
  | 'restarts'
  | 'no-agent';

export interface Failure {
  readonly class: FailureClass;
  readonly message: string;
}

/** Why no more packages are begun. `running` with a reason: what has been begun may still finish. */
export interface PauseReason {
  readonly kind: 'package-failed' | 'blocked' | 'interrupted' | 'owner-died';
  /** The package that has to be retried or skipped, where it is one. */
  readonly wp_id: string | null;
  readonly message: string;
}

/** A process, told apart from a later one with the same id by when it started (text, as the system says it). */
export interface ChildProcess {
  readonly pid: number;
  readonly started_at: string | null;
}

export interface WpState {
  readonly wp_id: string;
  readonly status: WpStatus;
  /** The agent at work, or that has to go on; null leaves the choice open. */
  readonly implementation_agent: string | null;
  readonly review_agent: string | null;
  readonly implementation_started: string | null;
  readonly implementation_completed: string | null;
  readonly review_started: string | null;
  readonly review_completed: string | null;
  /** How often it was assigned in this role: the `retry_count` of the next WPAssigned. A retry by the same agent is none. */
  readonly assignments: Readonly<Record<Role, number>>;
  /** Failed runs of the current agent in its current task. */
  readonly attempts: number;
  /** Reviews without a verdict of the current reviewer. */
  readonly no_verdicts: number;
  /** Rejections of the current implementer's work. */
  readonly review_cycles: number;
  readonly review_feedback: string | null;
  /** Agents that were given up on. */
  readonly tried: Readonly<Record<Role, readonly string[]>>;
  readonly last_error: Failure | null;
  readonly log_file: string | null;
  readonly worktree_path: string | null;
  /** True when this run made the workspace, so that an abort may remove it. */
  readonly created_by_run: boolean;
  readonly child: ChildProcess | null;
  /** Times a run died while this was being implemented. */
  readonly restarts: number;
  /** Since when it could be started; null while it cannot. The longest waiting goes first. */
  readonly waiting_since: string | null;
  /** Not to be started again before this. */
  readonly not_before: string | null;
}

export interface RunState {
  readonly version: 1;
  /** A ULID; the causation id of every event of the run. */
  readonly run_id: string;
  readonly feature_slug: string;
  readonly started_at: string;
  readonly completed_at: string | null;
  readonly status: RunStatus;
  readonly pause_reason: PauseReason | null;
  /** The process that runs it, with {@link RunState.process_started_at} and {@link RunState.host}. */
  readonly pid: number;
  readonly host: string;
  readonly process_started_at: string | null;
  readonly heartbeat_at: string;
  /** FeatureCompleted is told at most once. */
  readonly completed_event_sent: boolean;
  readonly work_packages: Readonly<Record<string, WpState>>;
}

/** The process that runs or takes over a run. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly process_started_at: string | null;
}

/** A package of a new run. `implementedBy`: it is in review already, so only that is left to do (null: nobody knows who). */
export interface NewPackage {
  readonly id: string;
  readonly implementedBy?: string | null;
}

/** A run that has not begun anything. Packages that are done on disk are not part of it. */
export function createRun(facts: {
  readonly runId: string;
  readonly featureSlug: string;
  readonly packages: readonly NewPackage[];
  readonly owner: Owner;
  readonly nowMs: number;
}): RunState {
  const now = isoTime(facts.nowMs);
  return {
    version: 1,
    run_id: facts.runId,
    feature_slug: facts.featureSlug,
    started_at: now,
    completed_at: null,
    status: 'running',
    pause_reason: null,
    ...facts.owner,
    heartbeat_at: now,
    completed_event_sent: false,
    work_packages: Object.fromEntries(facts.packages.map((each) => [each.id, newPackage(each, now)])),
  };
}

function newPackage({ id, implementedBy }: NewPackage, now: string): WpState {
  const isImplemented = implementedBy !== undefined;
  return {
    wp_id: id,
    status: isImplemented ? 'review' : 'pending',
    implementation_agent: implementedBy ?? null,
    review_agent: null,
    implementation_started: isImplemented ? now : null,
    implementation_completed: isImplemented ? now : null,
    review_started: null,
    review_completed: null,
    assignments: { implementation: 0, review: 0 },
    attempts: 0,
    no_verdicts: 0,
    review_cycles: 0,
    review_feedback: null,
    tried: { implementation: [], review: [] },
    last_error: null,
    log_file: null,
    worktree_path: null,
    created_by_run: false,
    child: null,
    restarts: 0,
    waiting_since: null,
    not_before: null,
  };
}

/** A package of the run; throws for one that is not part of it, which callers check first. */
export function wpOf(state: RunState, wpId: string): WpState {
  const wp = Object.hasOwn(state.work_packages, wpId) ? state.work_packages[wpId] : undefined;
  if (wp === undefined) throw new Error(`${wpId} is not part of the run ${state.run_id}.`);
  return wp;
}

/** The state with some facts of a package changed, such as its log file, workspace or child process. */
export function withWp(state: RunState, wpId: string, facts: Partial<Omit<WpState, 'wp_id'>>): RunState {
  return { ...state, work_packages: { ...state.work_packages, [wpId]: { ...wpOf(state, wpId), ...facts } } };
}

/** What an agent is doing with it at this moment; undefined when none is at work. */
export function runningRole(wp: WpState): Role | undefined {
  if (wp.status === 'implementation' && wp.implementation_started !== null) return 'implementation';
  return wp.status === 'review' && wp.review_started !== null ? 'review' : undefined;
}

/** What has to be done with it next, when no agent is at work; undefined when nothing has. */
export function waitingRole(wp: WpState): Role | undefined {
  if (runningRole(wp) !== undefined) return undefined;
  if (wp.status === 'review') return 'review';
  return wp.status === 'pending' || wp.status === 'rework' || wp.status === 'implementation'
    ? 'implementation'
    : undefined;
}

/** The agent of a package in a role. */
export function agentOf(wp: WpState, role: Role): string | null {
  return role === 'implementation' ? wp.implementation_agent : wp.review_agent;
}

/** True once nothing waits for it any more. */
export function isSettled(wp: WpState): boolean {
  return wp.status === 'completed' || wp.status === 'skipped';
}

/** Numbers for people and events. `assignments` counts what was announced, `running` the agents at work now. */
export interface RunCounts {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly running: number;
  readonly assignments: number;
}

export function countsOf(state: RunState): RunCounts {
  const wps = Object.values(state.work_packages);
  const inStatus = (status: WpStatus): number => wps.filter((wp) => wp.status === status).length;
  return {
    total: wps.length,
    completed: inStatus('completed'),
    failed: inStatus('failed'),
    skipped: inStatus('skipped'),
    running: wps.filter((wp) => runningRole(wp) !== undefined).length,
    assignments: wps.reduce((sum, wp) => sum + wp.assignments.implementation + wp.assignments.review, 0),
  };
}

/** ISO 8601, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
