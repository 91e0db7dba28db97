/** Who waits for whom. Pure. */

/** Work package id → the ids it waits for. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/** Every way round found by a depth-first walk, each as `[WP01, WP02, WP01]`; empty when there is none. */
export function findCycles(graph: DependencyGraph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (id: string): void => {
    const at = path.indexOf(id);
    if (at !== -1) {
      cycles.push([...path.slice(at), id]);
      return;
    }
    if (finished.has(id)) return;
    path.push(id);
    for (const dep of graph.get(id) ?? []) visit(dep);
    path.pop();
    finished.add(id);
  };
  for (const id of [...graph.keys()].toSorted()) visit(id);
  return cycles;
}

/** Who waits directly for `id`, sorted. */
export function dependentsOf(graph: DependencyGraph, id: string): readonly string[] {
  return [...graph]
    .filter(([, deps]) => deps.includes(id))
    .map(([dependent]) => dependent)
    .toSorted();
}
