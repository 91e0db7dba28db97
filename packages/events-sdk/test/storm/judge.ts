/**
 * What a storm must leave behind, decided from three lists and nothing else. Pure, so that it can be tested itself:
 * `judge.test.ts` gives it lists, `broken.test.ts` runs stores that are wrong on purpose.
 */

/** An event by what tells it apart. A spilled event gets its clock when it is taken in: until then it has none. */
export interface Known {
  readonly id: string;
  readonly clock: number | null;
  readonly node: string | null;
}

/** What happened, as far as anybody outside can know. */
export interface Evidence {
  /** What the processes were told is recorded. */
  readonly acknowledged: readonly Known[];
  /** Every event the server stored, each time it stored it. */
  readonly server: readonly Known[];
  /** What still waits in the queue, and what stands beside it. */
  readonly queue: readonly Known[];
}

/** A broken promise. */
export type Fault =
  /** Acknowledged, and neither on the server nor waiting. */
  | { readonly kind: 'lost'; readonly id: string }
  /** Acknowledged with another clock or node than it has now. */
  | { readonly kind: 'altered'; readonly id: string }
  /** One clock value of one node on several events. */
  | { readonly kind: 'clock-repeated'; readonly node: string; readonly clock: number; readonly ids: readonly string[] }
  | { readonly kind: 'stored-twice'; readonly id: string }
  /** Still waiting after the last, undisturbed delivery. */
  | { readonly kind: 'undelivered'; readonly id: string };

/** Every promise the evidence shows broken. Empty: all is well. */
export function judge({ acknowledged, server, queue }: Evidence): readonly Fault[] {
  const present = new Map([...queue, ...server].map((event) => [event.id, event]));
  return [
    ...acknowledged.flatMap((event): Fault[] => {
      const found = present.get(event.id);
      if (found === undefined) return [{ kind: 'lost', id: event.id }];
      const isSame = event.clock === null || (event.clock === found.clock && event.node === found.node);
      return isSame ? [] : [{ kind: 'altered', id: event.id }];
    }),
    ...repeatedClocks([...acknowledged, ...server, ...queue]),
    ...repeated(server.map(({ id }) => id)).map((id): Fault => ({ kind: 'stored-twice', id })),
    ...queue.map(({ id }): Fault => ({ kind: 'undelivered', id })),
  ];
}

/** How often each kind of fault was found. */
export function countFaults(faults: readonly Fault[]): Partial<Record<Fault['kind'], number>> {
  const counts: Partial<Record<Fault['kind'], number>> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Also events that are lost have used up their clock. */
function repeatedClocks(events: readonly Known[]): readonly Fault[] {
  const byStamp = Map.groupBy(
    events.filter(({ clock }) => clock !== null),
    ({ node, clock }) => `${node} ${clock}`,
  );
  return [...byStamp.values()].flatMap((group): Fault[] => {
    const ids = [...new Set(group.map(({ id }) => id))].toSorted();
    const [first] = group;
    return ids.length < 2 || first === undefined
      ? []
      : [{ kind: 'clock-repeated', node: first.node ?? '', clock: first.clock ?? 0, ids }];
  });
}

function repeated(ids: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const id of ids) (seen.has(id) ? twice : seen).add(id);
  return [...twice];
}
