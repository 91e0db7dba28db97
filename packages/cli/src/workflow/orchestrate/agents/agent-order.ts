/** Who reviews. Pure. */

/** The order of reviewers for work of `implementer`: everybody else first. Nobody reviews their own work if there is another. */
export function reviewersFor(order: readonly string[], implementer: string): readonly string[] {
  return [...order.filter((id) => id !== implementer), ...order.filter((id) => id === implementer)];
}
