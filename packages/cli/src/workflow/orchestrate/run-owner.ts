/** The run that is there, and the process it belongs to: found, judged, and where a person wants it, ended. */
import { WorkflowError } from '../errors.ts';
import { refuseForeignState } from '../project/own-state.ts';
import type { Project } from '../project/project-root.ts';
import { judgeOwner, type OwnerVerdict } from './recover.ts';
import type { RunDeps } from './run-deps.ts';
import type { RunState } from './run-state.ts';
import { readState, STATE_FILE, type StoredState } from './state-file.ts';

/** The state of this machine's run; undefined when there is none. Refuses one that came with the repository. */
export async function stateHere(deps: Pick<RunDeps, 'git'>, { root }: Project): Promise<StoredState | undefined> {
  await refuseForeignState(deps.git, root, STATE_FILE);
  return readState(root);
}

/** The run to take up. Refuses when there is none, or it is of another feature than the one that was named. */
export async function storedRun(deps: RunDeps, project: Project, named: string | undefined): Promise<RunState> {
  const stored = await stateHere(deps, project);
  if (stored === undefined || (named !== undefined && stored.state.feature_slug !== named)) {
    const other = stored === undefined ? '' : ` The run of ${stored.state.feature_slug} is.`;
    throw new WorkflowError(
      'no-run',
      `There is no run to take up${named === undefined ? '' : ` of ${named}`}.${other}`,
      {
        remedy:
          stored === undefined
            ? `spec-kitty orchestrate${named === undefined ? '' : ` --feature ${named}`}`
            : `spec-kitty orchestrate --feature ${stored.state.feature_slug} --resume`,
      },
    );
  }
  if (stored.warning !== undefined) deps.tell({ kind: 'warning', message: stored.warning });
  return stored.state;
}

/** Whether the process that runs it lives, as far as this machine can tell. */
export function ownerOf(deps: RunDeps, state: RunState): OwnerVerdict {
  const startedAt = state.host === deps.owner.host ? deps.agents.processStart(state.pid) : undefined;
  return judgeOwner(state, {
    host: deps.owner.host,
    process: startedAt === undefined ? undefined : { startedAt },
    nowMs: deps.time.now(),
  });
}

/** Rejects while its process lives, or nobody here can say. */
export function refuseOwned(state: RunState, verdict: OwnerVerdict): void {
  if (verdict === 'gone') return;
  const where = verdict === 'elsewhere' ? ` on ${state.host}` : '';
  throw new WorkflowError(
    'run-active',
    `The run of ${state.feature_slug} is at work${where} (process ${state.pid}, last sign of life ${state.heartbeat_at}).`,
    { remedy: 'spec-kitty orchestrate --status   (or end it: --abort)', details: { pid: state.pid, host: state.host } },
  );
}

/** Ends its process. True when one was at work; rejects when it cannot be ended. */
export async function endOwner(deps: RunDeps, state: RunState): Promise<boolean> {
  const verdict = ownerOf(deps, state);
  if (verdict === 'gone') return false;
  if (verdict === 'elsewhere' || state.process_started_at === null) {
    refuseOwned(state, verdict);
    return false;
  }
  if (await deps.agents.endProcess(state.pid, state.process_started_at)) return true;
  refuseOwned(state, verdict);
  return false;
}

/** Ends agents that are still at work for a run whose process is gone. */
export async function endOrphans(
  deps: RunDeps,
  state: RunState,
  orphans: readonly { readonly pid: number; readonly started_at: string | null }[],
): Promise<void> {
  const processes = orphans.map(({ pid, started_at }) => ({ pid, startedAt: started_at ?? '', runId: state.run_id }));
  const left = await deps.agents.endOrphans(state.run_id, processes);
  if (left > 0)
    deps.tell({
      kind: 'warning',
      message: `${left} agents of this run may still be at work; nobody can say whether they are ours.`,
    });
}
