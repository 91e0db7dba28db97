/**
 * A storm: processes that work on one home and are killed with SIGKILL at moments drawn from a seed, each followed at
 * once by the next, alone or up to eight side by side.
 */
import { fileURLToPath } from 'node:url';

import type { ContractServer } from '../../src/testing/contract-server/index.ts';
import type { World } from '../node/world.ts';
import type { Known } from './judge.ts';
import { between } from './random.ts';
import { startVictim, type Moment, type Phase, type Remains, type Victim } from './victim.ts';

export interface StormOptions {
  readonly world: World;
  readonly server: ContractServer;
  /** File name in `fixtures`, without `.child.ts`. */
  readonly fixture: string;
  /** Arguments before the seed. Default: none. */
  readonly args?: readonly string[];
  readonly kills: number;
  readonly random: () => number;
  /** How many processes work side by side. Default: one to eight, changing. */
  readonly width?: number;
}

/** What a storm was like. */
export interface Storm {
  readonly acknowledged: Remains['acknowledged'];
  readonly dropped: readonly string[];
  /** Answered as such by the server. */
  readonly duplicates: number;
  readonly failures: readonly string[];
  readonly phases: Readonly<Record<Phase, number>>;
  /** Of the processes that lived to see one. */
  readonly firstAckMs: readonly number[];
}

/** Kills that follow one another with the same number of processes. */
const STRETCH = 8;

/** Processes side by side; each of them emits and delivers. */
const WIDTHS = [1, 1, 2, 3, 8];

/** Kills `kills` processes. Every one has ended when it resolves. */
export async function runStorm(options: StormOptions): Promise<Storm> {
  const { kills, random } = options;
  const remains: Remains[] = [];
  const alive = new Set<Victim>();
  const stop = new AbortController();
  const stopListening = options.server.onStored(() => {
    for (const victim of alive) victim.stored();
  });

  async function killOne(): Promise<void> {
    const victim = startVictim(
      {
        script: fileURLToPath(new URL(`./fixtures/${options.fixture}.child.ts`, import.meta.url)),
        args: [...(options.args ?? []), String(between(random, 1, 2 ** 31))],
        cwd: options.world.project,
        env: options.world.env,
        moment: drawMoment(random),
      },
      stop.signal,
    );
    alive.add(victim);
    remains.push(await victim.ended);
    alive.delete(victim);
  }

  /** Keeps `width` processes at work until `count` have been killed. */
  async function stretch(width: number, count: number): Promise<void> {
    let left = count;
    const keepOneAtWork = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await killOne();
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, count) }, keepOneAtWork));
  }

  try {
    while (remains.length < kills) {
      const width = options.width ?? WIDTHS[between(random, 0, WIDTHS.length - 1)] ?? 1;
      await stretch(width, Math.min(STRETCH, kills - remains.length));
    }
  } finally {
    stop.abort();
    stopListening();
  }
  return {
    acknowledged: remains.flatMap(({ acknowledged }) => acknowledged),
    dropped: remains.flatMap(({ dropped }) => dropped),
    duplicates: remains.reduce((sum, { duplicates }) => sum + duplicates, 0),
    failures: remains.flatMap(({ failure }) => failure ?? []),
    phases: {
      starting: remains.filter(({ phase }) => phase === 'starting').length,
      emitting: remains.filter(({ phase }) => phase === 'emitting').length,
      settling: remains.filter(({ phase }) => phase === 'settling').length,
    },
    firstAckMs: remains.flatMap(({ firstAckMs }) => firstAckMs ?? []),
  };
}

/** A fifth of them while starting, two fifths while emitting, two fifths while settling. */
function drawMoment(random: () => number): Moment {
  const share = random();
  if (share < 0.2) return { after: 'start', count: 0, delayMs: between(random, 0, 250) };
  if (share < 0.6) return { after: 'lines', count: between(random, 1, 40), delayMs: between(random, 0, 8) };
  if (share < 0.8) return { after: 'sync', count: between(random, 1, 3), delayMs: between(random, 0, 30) };
  return { after: 'stored', count: between(random, 1, 3), delayMs: between(random, 0, 4) };
}

/** What the server has stored, as the judge wants it. */
export function eventsOn(server: ContractServer): readonly Known[] {
  return server.events().map(({ envelope }) => {
    return { id: envelope.event_id, clock: envelope.lamport_clock, node: envelope.node_id };
  });
}
