/** What is wrong with a plan of who waits for whom, in the words every command uses. Pure. */
import { WorkflowError } from '../errors.ts';
import { findCycles, type DependencyGraph } from './dependency-graph.ts';

/** Refuses a package that waits for itself or for something unknown, then every circle. `known` are the ids there are. */
export function refuseBrokenGraph(graph: DependencyGraph, known: ReadonlySet<string>): void {
  for (const [id, deps] of [...graph].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const errors = [
      ...(deps.includes(id) ? [`${id} waits for itself`] : []),
      ...deps.filter((dep) => !known.has(dep)).map((dep) => `${id} waits for ${dep}, which does not exist`),
    ];
    if (errors.length === 0) continue;
    throw new WorkflowError('dependency-invalid', `The dependencies of ${id} are wrong: ${errors.join('; ')}.`, {
      wpId: id,
      details: { wp_id: id, errors },
    });
  }
  const cycles = findCycles(graph);
  if (cycles.length === 0) return;
  const shown = cycles.map((cycle) => cycle.join(' → ')).join('; ');
  throw new WorkflowError('dependency-cycle', `Work packages wait for each other in a circle: ${shown}.`, {
    details: { cycles },
  });
}
