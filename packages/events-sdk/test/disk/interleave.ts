/**
 * Real code of several processes over one simulated disk, interleaved at every single call: each process is a worker
 * thread that stands still at each call of a port, and a scheduler with a seed says who goes on. The same seed gives
 * the same run.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { errorCodeOf, type Disk } from '../../src/node/disk.ts';
import type { ProcessOwner } from '../../src/node/process-owner.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { createSimulatedDisk, type SimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { mortalDisk } from '../../src/testing/simulated-disk-faults.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import type { Answer, Asked, InterleavedMistake, Job } from './interleaved-process.ts';

/** Processes that are used for one run after the other. */
export interface Crew {
  run(options: RunOptions): Promise<RunResult>;
  dismiss(): Promise<void>;
}

export interface RunOptions {
  readonly seed: number;
  readonly work: Job['work'];
  readonly path: string;
  /** How often each process takes the lock, or records an event. */
  readonly times: number;
  /** Whether one of them may be killed at a call. */
  readonly withKill?: boolean;
  readonly mistake?: InterleavedMistake;
  /** What is on the disk before. */
  prepare?(disk: SimulatedDisk): void;
}

/** What came of it. */
export interface RunResult {
  readonly disk: SimulatedDisk;
  /** Event ids and clocks that were acknowledged, in order. */
  readonly acknowledged: readonly (readonly [string, number])[];
  /** What no run may show: two holders, a refused turn, no end. */
  readonly wrong: readonly string[];
  readonly calls: number;
}

/** A run that is not over by then is stuck. */
const MOST_CALLS = 20_000;

interface Member {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly turn: Int32Array;
}

/** Starts the worker threads. */
export function startCrew(size: number): Crew {
  const members = Array.from({ length: size }, (): Member => {
    const turn = new Int32Array(new SharedArrayBuffer(4));
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(fileURLToPath(new URL('./interleaved-process.ts', import.meta.url)), {
      workerData: { port: port2, turn },
      transferList: [port2],
    });
    return { worker, port: port1, turn };
  });
  return {
    run: (options) => run(members, options),
    async dismiss() {
      await Promise.all(
        members.map(async ({ worker, port, turn }) => {
          // One that still waits for its turn could not be ended.
          give({ port, turn }, { kind: 'killed' });
          port.close();
          await worker.terminate();
        }),
      );
    },
  };
}

async function run(members: readonly Member[], options: RunOptions): Promise<RunResult> {
  const random = createRandom(options.seed);
  const nowMs = Date.UTC(2026, 1, 7);
  const disk = createSimulatedDisk({ now: () => nowMs });
  options.prepare?.(disk);
  const machine = createSimulatedMachine();
  const wrong: string[] = [];
  const acknowledged: (readonly [string, number])[] = [];
  let holder: number | undefined;

  const processes = await Promise.all(
    members.map(async (member) => {
      const process = machine.start();
      const { pid, started } = process.current(nowMs);
      const { work, times, path, mistake } = options;
      const { worker } = member;
      const asked = nextAsked(member);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
      worker.postMessage({ work, times, path, pid, started, nowMs, ...(mistake && { mistake }) } satisfies Job);
      return { member, process, own: mortalDisk(disk), asked: await asked };
    }),
  );
  const doomed = options.withKill === true ? processes[Math.floor(random() * processes.length)] : undefined;
  let callsToLive = Math.floor(random() * 60);
  // Some runs change hands at every call, others seldom.
  const staying = [0, 0.5, 0.9][Math.floor(random() * 3)] ?? 0;
  let last = processes[0];
  let calls = 0;
  for (; ; calls += 1) {
    const going = processes.filter(({ asked }) => asked.name !== 'done');
    if (going.length === 0) break;
    if (calls === MOST_CALLS) wrong.push('it does not end');
    const stays = last !== undefined && going.includes(last) && random() < staying;
    const next = stays ? last : going[Math.floor(random() * going.length)];
    if (next === undefined) break;
    last = next;
    const { member, process, own, asked } = next;
    const isDue = next === doomed && !own.isKilled() && (callsToLive -= 1) < 0;
    if (isDue || calls >= MOST_CALLS) {
      own.kill();
      process.die();
      if (holder === process.pid) holder = undefined;
      next.asked = await answer(member, { kind: 'killed' });
      continue;
    }
    if (asked.name === 'enter') {
      if (holder !== undefined) wrong.push('two hold the lock');
      holder = process.pid;
    }
    if (asked.name === 'leave' && holder === process.pid) holder = undefined;
    // What our own worker sends: see `Job`.
    if (asked.name === 'acknowledged') acknowledged.push(asked.args as [string, number]);
    const value: Answer =
      asked.name === 'lifeOf'
        ? { kind: 'value', value: process.lifeOf(asked.args[0] as ProcessOwner) }
        : onDisk(own, asked);
    next.asked = await answer(member, value);
  }
  for (const { asked } of processes) if (typeof asked.args[0] === 'string') wrong.push(`refused: ${asked.args[0]}`);
  return { disk, acknowledged, wrong, calls };
}

function nextAsked({ port }: Member): Promise<Asked> {
  return new Promise((resolve) => {
    port.once('message', resolve);
  });
}

async function answer(member: Member, value: Answer): Promise<Asked> {
  const asked = nextAsked(member);
  give(member, value);
  return asked;
}

function give({ port, turn }: Pick<Member, 'port' | 'turn'>, value: Answer): void {
  port.postMessage(value);
  Atomics.store(turn, 0, 1);
  Atomics.notify(turn, 0);
}

function onDisk(disk: Disk, { name, args }: Asked): Answer {
  try {
    if (name === 'read') {
      const [file, length, at] = args as [number, number, number];
      const bytes = new Uint8Array(length);
      return { kind: 'value', value: undefined, bytes: bytes.slice(0, disk.read(file, bytes, at)) };
    }
    if (name === 'write') {
      const [file, bytes] = args as [number, Uint8Array];
      return { kind: 'value', value: disk.write(file, bytes, 0) };
    }
    if (!(name in disk)) return { kind: 'value', value: undefined };
    // Every other method takes what the worker's port was called with.
    const call = disk[name as keyof Disk] as (...values: readonly unknown[]) => unknown;
    return { kind: 'value', value: call(...args) };
  } catch (error) {
    return { kind: 'error', code: errorCodeOf(error) };
  }
}
