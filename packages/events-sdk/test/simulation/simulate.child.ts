/**
 * Simulations in a Node of their own, whose modules are loaded before the first begins: vitest answers each `import()`
 * over a channel, which takes real time. Arguments: first seed, how many, and as JSON the options; prints JSON.
 */
import '../../src/client/dry-run.ts';
import '../../src/engine/background-sync.ts';
import '../../src/engine/sync-engine.ts';
import '../../src/queue/destinations.ts';
import { simulate, type SimulateOptions, type Simulated } from './simulate.ts';

const [first = '0', count = '1', json = '{}'] = process.argv.slice(2);
// What `run.ts` passes.
const options = JSON.parse(json) as SimulateOptions;

// Most errors here are the simulation's own, thousands of them: their traces would take a third of the time.
if (Number(count) > 1) Error.stackTraceLimit = 0;

// The first `import()` of a module resolves later than the next ones.
await simulate(0, { store: 'sqljs' });
await simulate(0, { store: 'memory' });
const failed: Omit<Simulated, 'kinds'>[] = [];
const hashes: string[] = [];
const kinds = new Map<string, number>();
const totals = { simulations: 0, emissions: 0, delivered: 0, kills: 0 };
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const result = await simulate(seed, options);
  totals.simulations += 1;
  totals.emissions += result.emissions;
  totals.delivered += result.delivered;
  totals.kills += result.kills;
  hashes.push(result.hash);
  for (const [kind, times] of result.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + times);
  const { kinds: _, ...told } = result;
  if (result.breaches.length > 0) failed.push(told);
  // One is enough to look at.
  if (failed.length > 0) break;
}
process.stdout.write(JSON.stringify({ failed, hashes, kinds: [...kinds], totals }), () => process.exit(0));
