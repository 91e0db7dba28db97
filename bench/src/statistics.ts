/** The few numbers a run is told in. Pure. */

/** The value below which `share` of the sorted sample lies. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `12.3 (11.0–15.2)`: the median, the least and the most. */
export function spread(sample: readonly number[]): string {
  if (sample.length === 0) return '–';
  return `${digits(median(sample))} (${digits(Math.min(...sample))}–${digits(Math.max(...sample))})`;
}

/** The median of what each round's two figures make of each other: what slows a round down slows both. */
export function medianOf(
  one: readonly number[],
  other: readonly number[],
  combine: (a: number, b: number) => number,
): number {
  return median(one.flatMap((a, round) => (other[round] === undefined ? [] : [combine(a, other[round])])));
}
