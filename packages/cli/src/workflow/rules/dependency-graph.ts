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

/**
 * The ids so that each stands behind all it waits for (Kahn; ties by id). What the graph does not know counts as done.
 * Call after {@link findCycles}: the ids of a circle, and what waits for them, are left out.
 */
export function topologicalOrder(graph: DependencyGraph): readonly string[] {
  const order: string[] = [];
  const placed = new Set<string>();
  const isFree = (id: string): boolean => (graph.get(id) ?? []).every((dep) => placed.has(dep) || !graph.has(dep));
  const waiting = new Set([...graph.keys()].toSorted());
  for (;;) {
    const next = [...waiting].find(isFree);
    if (next === undefined) return order;
    waiting.delete(next);
    placed.add(next);
    order.push(next);
  }
}
