/** How much is proved: a little in every test run, more where `SPEC_KITTY_CRASH_STATES` asks for that many states in all. */

/** Proofs over crash states; each takes an equal part of what is asked for. */
const PROOFS = 6;

const asked = process.env['SPEC_KITTY_CRASH_STATES'];
const perProof = asked === undefined || asked === '' ? undefined : Math.ceil(Number(asked) / PROOFS);
if (perProof !== undefined && !Number.isFinite(perProof)) throw new Error('SPEC_KITTY_CRASH_STATES must be a number.');

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

/** Repeats `prove` with seed 1, 2, …, and says how many states it checked. Ends at the first loss. */
export async function proveMany(
  title: string,
  amount: Amount,
  prove: (seed: number) => Promise<Proof>,
): Promise<Proof> {
  const wanted = perProof ?? amount.states;
  let states = 0;
  const losses: string[] = [];
  let seed = 0;
  while ((states < wanted || seed < amount.runs) && losses.length === 0) {
    const proof = await prove((seed += 1));
    states += proof.states;
    losses.push(...proof.losses.map((loss) => `seed ${seed}: ${loss}`));
  }
  console.log(`${title}: ${states} crash states of ${seed} runs checked`);
  return { states, losses };
}
