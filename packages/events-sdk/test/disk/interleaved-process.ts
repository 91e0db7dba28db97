/**
 * One process of an interleaving, run by a worker thread: the real code over ports whose every call asks the scheduler
 * in `interleave.ts` and stands still until it is this process's turn. Sleeping is such a call too, so no time passes.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import initSqlJs from 'sql.js';
import { withDirectoryLock } from '../../src/node/directory-lock.ts';
import type { Disk, DiskEntry } from '../../src/node/disk.ts';
import type { Time } from '../../src/internal/time.ts';
import type { OwnerLife, ProcessOwner, Processes } from '../../src/node/process-owner.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { openSqlJsStore, type Persister } from '../../src/storage/sqljs/index.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';

/** What this process is asked to do. */
export interface Job {
  readonly work: 'lock' | 'store';
  readonly times: number;
  readonly path: string;
  readonly pid: number;
  readonly started: string;
  readonly nowMs: number;
  /** What is left out of the protocol, for the scheduler to find. */
  readonly mistake?: InterleavedMistake;
}

export type InterleavedMistake = 'no lock' | 'no reading again' | 'no last look' | 'owner not looked up';

/** A call of a port: its name and arguments. */
export interface Asked {
  readonly name: string;
  readonly args: readonly unknown[];
}

/** The scheduler's answer: a value, an error of the disk, or that this process is no more. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown; readonly bytes?: Uint8Array }
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'killed' };

// Both are what `interleave.ts` passes.
const { port, turn } = workerData as { readonly port: MessagePort; readonly turn: Int32Array };

let isKilled = false;

function ask(name: string, ...args: readonly unknown[]): Extract<Answer, { kind: 'value' }> {
  if (isKilled) throw new Error('This process was killed.');
  port.postMessage({ name, args } satisfies Asked);
  Atomics.wait(turn, 0, 0);
  Atomics.store(turn, 0, 0);
  // The answer was posted before the turn was given, and is yet, once in some ten thousand times, seen only a moment later.
  let answer = receiveMessageOnPort(port)?.message as Answer | undefined;
  for (; answer === undefined; answer = receiveMessageOnPort(port)?.message as Answer | undefined) {
    Atomics.wait(turn, 0, 0, 1);
  }
  if (answer.kind === 'killed') {
    isKilled = true;
    throw new Error('This process was killed.');
  }
  if (answer.kind === 'error') throw Object.assign(new Error(`${answer.code}: ${name}`), { code: answer.code });
  return answer;
}

const asked = (name: string, ...args: readonly unknown[]): unknown => ask(name, ...args).value;

// What the disk answers comes back as it was: every cast is to what the same method answered over there.
const disk: Disk = {
  open: (path, mode) => asked('open', path, mode) as number,
  read(file, bytes, at) {
    const answer = ask('read', file, bytes.length, at);
    bytes.set(answer.bytes ?? new Uint8Array());
    return answer.bytes?.length ?? 0;
  },
  write: (file, bytes, from) => asked('write', file, bytes.slice(from)) as number,
  fsync: (file) => void ask('fsync', file),
  close: (file) => void ask('close', file),
  look: (path) => asked('look', path) as DiskEntry | undefined,
  lookAt: (file) => asked('lookAt', file) as DiskEntry,
  list: (path) => asked('list', path) as readonly string[],
  rename: (from, to) => void ask('rename', from, to),
  unlink: (path) => void ask('unlink', path),
  mkdir: (path) => void ask('mkdir', path),
  rmdir: (path) => void ask('rmdir', path),
  realpath: (path) => asked('realpath', path) as string,
};

let holds = 0;

function portsOf({ pid, started, nowMs, mistake }: Job): { disk: Disk; time: Time; processes: Processes } {
  return {
    disk,
    time: {
      now: () => nowMs,
      after(_delayMs, action) {
        ask('sleep');
        queueMicrotask(action);
        return () => {};
      },
    },
    processes: {
      current: (takenAtMs): ProcessOwner => ({ pid, started, host: 'here', takenAtMs, token: String((holds += 1)) }),
      lifeOf: (owner): OwnerLife =>
        mistake === 'owner not looked up' ? 'dead' : (asked('lifeOf', owner) as OwnerLife),
    },
  };
}

/** So long that giving up is never the answer. */
const FOR_EVER_MS = 1e9;

async function lock(job: Job): Promise<void> {
  const options = { ...portsOf(job), waitMs: FOR_EVER_MS };
  for (let time = 0; time < job.times; time += 1) {
    await withDirectoryLock(job.path, options, async () => {
      ask('enter');
      ask('leave');
    });
  }
}

const sqlJs = await initSqlJs();

async function store(job: Job): Promise<void> {
  const file = createSqlJsFile({ ...portsOf(job), path: job.path, busyTimeoutMs: FOR_EVER_MS });
  const opened = await openSqlJsStore({ persister: mistaken(file, job), loadSqlJs: async () => sqlJs });
  for (let time = 0; time < job.times; time += 1) {
    const eventId = `${job.pid}-${time}`;
    const clock = await opened.transact((tx) => {
      const next = tx.clock() + 1;
      tx.insert(aStoredEvent({ eventId, lamportClock: next }));
      return next;
    });
    ask('acknowledged', eventId, clock);
  }
  await opened.close();
}

function mistaken(file: Persister, { mistake, path }: Job): Persister {
  switch (mistake) {
    case 'no lock':
      return { ...file, exclusively: (work) => work() };
    case 'no reading again':
      return {
        ...file,
        load: async (known) => (known === undefined ? file.load() : undefined),
        save: async (bytes) => file.save(bytes, (await file.load())?.generation ?? ''),
      };
    case 'no last look':
      return {
        ...file,
        exclusively: (work) => work(),
        save: async (bytes) => file.save(bytes, (await file.load())?.generation ?? ''),
      };
    case 'owner not looked up':
    case undefined:
      return file;
    default:
      throw new Error(`Nobody knows the mistake ${String(mistake satisfies never)} for ${path}.`);
  }
}

parentPort?.on('message', (job: Job) => {
  isKilled = false;
  const work = job.work === 'lock' ? lock(job) : store(job);
  work.then(
    () => port.postMessage({ name: 'done', args: [] } satisfies Asked),
    (error: unknown) => port.postMessage({ name: 'done', args: isKilled ? [] : [String(error)] } satisfies Asked),
  );
});
