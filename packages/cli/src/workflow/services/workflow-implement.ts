/** `agent workflow implement`: `implement`, and what an agent needs to begin: the work order. */
import type { WorkflowDeps } from '../ports.ts';
import { openFeature } from '../project/feature.ts';
import { findProject } from '../project/project-root.ts';
import { workOrderOf, type WorkOrder } from '../project/work-order.ts';
import { findWp } from '../project/wp-file.ts';
import { implement, type ImplementInput, type ImplementResult } from './implement.ts';

type Deps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'progress'>;

/** Runs it. The work order is read after the claim. */
export async function workflowImplement(
  deps: Deps,
  input: ImplementInput,
): Promise<{ readonly result: ImplementResult; readonly order: WorkOrder }> {
  const result = await implement(deps, input);
  const project = await findProject(deps.git, input);
  const feature = openFeature(project.root, result.feature);
  return { result, order: workOrderOf(project, feature, findWp(feature, result.wp_id), input.cwd) };
}
