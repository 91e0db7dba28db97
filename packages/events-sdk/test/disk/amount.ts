/**
 * How much is proved: a little in every test run, more where `SPEC_KITTY_CRASH_STATES` asks for that many states in all. The
 * choices follow from `SPEC_KITTY_STORM_SEED` (by default from the clock).
 */
import { tellStorm } from '@spec-kitty/storm';
import type { TestContext } from 'vitest';

/** Proofs over crash states; each takes an equal part of what is asked for. */
const PROOFS = 6;

const asked = process.env['SPEC_KITTY_CRASH_STATES'];
const perProof = asked === undefined || asked === '' ? undefined : Math.ceil(Number(asked) / PROOFS);
if (perProof !== undefined && !Number.isFinite(perProof)) throw new Error('SPEC_KITTY_CRASH_STATES must be a number.');

/** The first seed of every proof. */
export const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);

/** How many times as many interleavings as a test run makes; grows with the crash states. */
export const INTERLEAVINGS = perProof === undefined ? 1 : Math.max(1, Math.round(perProof / 8_000));

/** For a proof's test, in milliseconds: long enough for a busy machine, without end where more is asked for. */
export const PROOF_TIMEOUT_MS = perProof === undefined ? 300_000 : 0;

/** What came out of a proof: nothing may be lost. */
export interface Proof {
  readonly states: number;
  readonly losses: readonly string[];
}

/** How often a proof is repeated: until enough states were checked (or this proof's part of what is asked for), and a number of times at least. */
export interface Amount {
  readonly states: number;
  readonly runs: number;
}

/** Repeats `prove` with one seed after the other, the how-manieth time it is, and tells the storm. Ends at the first loss. */
export async function proveMany(
  { task }: Pick<TestContext, 'task'>,
  title: string,
  amount: Amount,
  prove: (seed: number, run: number) => Promise<Proof>,
): Promise<Proof> {
  const wanted = perProof ?? amount.states;
  let states = 0;
  const losses: string[] = [];
  let run = 0;
  for (; (states < wanted || run < amount.runs) && losses.length === 0; run += 1) {
    const proof = await prove(SEED + run, run);
    states += proof.states;
    losses.push(...proof.losses.map((loss) => `SPEC_KITTY_STORM_SEED=${SEED}, run ${run}: ${loss}`));
  }
  if (losses.length === 0)
    tellStorm(task, { storm: 'power', variant: title, seed: SEED, counts: { 'crash states': states, runs: run } });
  return { states, losses };
}
