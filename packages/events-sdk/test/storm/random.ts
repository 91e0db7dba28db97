/** Whole numbers by chance, for storms. */

/** A whole number from `least` to `most`, both included. `random` gives numbers in [0, 1). */
export function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}
