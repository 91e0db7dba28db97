/**
 * Runs simulations in Nodes of their own, as many side by side as there are cores, and puts together what they say.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { SimulateOptions, Simulated } from './simulate.ts';

export type Failed = Omit<Simulated, 'kinds'>;

/** What one or many simulations came to. */
export interface Simulations {
  readonly failed: readonly Failed[];
  /** Of each history, in the order of the seeds. */
  readonly hashes: readonly string[];
  /** How often each kind of thing happened. */
  readonly kinds: ReadonlyMap<string, number>;
  readonly totals: Readonly<Record<'simulations' | 'emissions' | 'delivered' | 'kills', number>>;
}

/** What `simulate.child.ts` prints. */
interface Printed extends Omit<Simulations, 'kinds'> {
  readonly kinds: readonly (readonly [string, number])[];
}

const CHILD = fileURLToPath(new URL('simulate.child.ts', import.meta.url));
/** Of one child; a real machine that hangs is told as such, not by the patience of a test runner. */
const SECONDS_EACH = 2;
/** A process does not give back everything that its simulations leave. */
const SEEDS_EACH = 500;

/** Simulates `count` seeds from `first` on. Each child stops at its first failure. */
export async function runSimulations(
  first: number,
  count: number,
  options: SimulateOptions = {},
): Promise<Simulations> {
  const children = Math.min(count, availableParallelism());
  const share = Math.ceil(count / children);
  const starts = Array.from({ length: children }, (_, at) => first + at * share).filter((at) => at < first + count);
  const parts = (
    await Promise.all(starts.map((start) => runInTurn(start, Math.min(share, first + count - start), options)))
  ).flat();
  const kinds = new Map<string, number>();
  for (const [kind, times] of parts.flatMap((part) => part.kinds)) kinds.set(kind, (kinds.get(kind) ?? 0) + times);
  const sum = (name: keyof Simulations['totals']): number => parts.reduce((all, { totals }) => all + totals[name], 0);
  return {
    failed: parts.flatMap(({ failed }) => failed),
    hashes: parts.flatMap(({ hashes }) => hashes),
    kinds,
    totals: {
      simulations: sum('simulations'),
      emissions: sum('emissions'),
      delivered: sum('delivered'),
      kills: sum('kills'),
    },
  };
}

/** One child after another, until one fails. */
async function runInTurn(first: number, count: number, options: SimulateOptions): Promise<readonly Printed[]> {
  const parts: Printed[] = [];
  for (let done = 0; done < count && parts.every(({ failed }) => failed.length === 0); done += SEEDS_EACH)
    parts.push(await runChild(first + done, Math.min(SEEDS_EACH, count - done), options));
  return parts;
}

async function runChild(first: number, count: number, options: SimulateOptions): Promise<Printed> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [CHILD, String(first), String(count), JSON.stringify(options)],
    { maxBuffer: 256 * 1024 * 1024, timeout: 60_000 + count * SECONDS_EACH * 1_000 },
  );
  // Its own words, a moment ago.
  return JSON.parse(stdout) as Printed;
}

/** A failure as a person needs it: what broke, how to see it again, and what happened last. */
export function inWords({ seed, store, breaches, tail }: Failed): string {
  return [
    `Seed ${seed} (${store} store) broke: ${breaches.join('; ')}`,
    `Again: SPEC_KITTY_STORM_SEED=${seed} SPEC_KITTY_STORM_SIMULATIONS=1 vitest run test/simulation/simulation.test.ts`,
    ...tail,
  ].join('\n');
}
