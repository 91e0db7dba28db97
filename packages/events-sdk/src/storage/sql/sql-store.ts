/**
 * An event store over any SQL driver. Transactions of one process run in the order they were asked for; those that
 * wait while another one is being made durable share the next commit, each in a savepoint of its own: one that
 * throws is undone alone, and nobody hears "done" before the commit.
 */

import { EventsSdkError, isEventsSdkError } from '../../errors.ts';
import type { EventStore, StoreReader, StoreTransaction } from '../port.ts';
import type { SqlDatabase, SqlDriver } from './database.ts';
import type { Schema } from './schema.ts';
import { createSummaries } from './summary.ts';
import type { Summary } from './summary.ts';
import { createSqlTransaction } from './transaction.ts';

/** A commit shared by more would keep other processes waiting for too long. */
const MOST_PER_COMMIT = 256;

interface Job {
  /** Runs in a transaction or savepoint; its answer waits for the commit. Returns what to throw, if it threw. */
  run(db: SqlDatabase, summary: Summary): { readonly thrown: unknown } | undefined;
  committed(): void;
  failed(reason: unknown): void;
}

/** Builds the store over a driver whose files are of `schema`; closing it closes the driver. */
export function createSqlStore(driver: SqlDriver, schema: Schema): EventStore {
  const summaryOf = createSummaries(schema);
  const waiting: Job[] = [];
  let underWay: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    // Calls made in the same turn of the event loop are collected first.
    await Promise.resolve();
    while (waiting.length > 0) await commitTogether(driver, summaryOf, waiting.splice(0, MOST_PER_COMMIT));
    underWay = undefined;
  };
  const assertOpen = (): void => {
    if (closing !== undefined) throw new EventsSdkError('CLOSED', 'The event store is closed.');
  };
  return {
    async transact(work) {
      assertOpen();
      return new Promise((resolve, reject) => {
        waiting.push(createJob(work, resolve, reject));
        underWay ??= drain();
      });
    },
    async read<T>(work: (reader: StoreReader) => T): Promise<T> {
      assertOpen();
      let result: { readonly value: T } | undefined;
      await driver.read((db) => {
        result = { value: runGuarded(db, summaryOf(db), work) };
      });
      if (result === undefined) throw new EventsSdkError('STORAGE_UNAVAILABLE', 'queue.db could not be read.');
      return result.value;
    },
    close() {
      closing ??= (async () => {
        await underWay;
        await driver.close();
      })();
      return closing;
    },
  };
}

function createJob<T>(
  work: (tx: StoreTransaction) => T,
  resolve: (value: T) => void,
  reject: (reason: unknown) => void,
): Job {
  let result: { readonly value: T } | undefined;
  return {
    run(db, summary) {
      try {
        result = { value: runGuarded(db, summary, work) };
        return undefined;
      } catch (thrown) {
        return { thrown };
      }
    },
    committed() {
      if (result !== undefined) resolve(result.value);
    },
    failed: reject,
  };
}

async function commitTogether(
  driver: SqlDriver,
  summaryOf: (db: SqlDatabase) => Summary,
  jobs: readonly Job[],
): Promise<void> {
  let summary: Summary | undefined;
  const undone = new Map<Job, unknown>();
  try {
    await driver.write((db) => {
      const present = (summary = summaryOf(db));
      const only = jobs.length === 1 ? jobs[0] : undefined;
      if (only !== undefined) {
        const outcome = only.run(db, present);
        if (outcome !== undefined) throw outcome.thrown;
        return;
      }
      for (const job of jobs) {
        db.prepare('SAVEPOINT job').run();
        const outcome = job.run(db, present);
        if (outcome !== undefined) {
          undone.set(job, outcome.thrown);
          present.forgetAll();
          // Fails when SQLite itself has given up the whole transaction; then nobody's work is kept.
          db.prepare('ROLLBACK TO job').run();
        }
        db.prepare('RELEASE job').run();
      }
    });
  } catch (reason) {
    summary?.forgetAll();
    for (const job of jobs) job.failed(undone.has(job) ? undone.get(job) : reason);
    return;
  }
  for (const job of jobs) {
    if (undone.has(job)) job.failed(undone.get(job));
    else job.committed();
  }
}

/**
 * Lends a transaction to `work` and takes it back: it cannot be used later, cannot be waited on, and a storage
 * failure inside it counts even when `work` swallows it, because SQLite may have undone part of it already.
 */
function runGuarded<T>(db: SqlDatabase, summary: Summary, work: (tx: StoreTransaction) => T): T {
  let refusal: EventsSdkError | undefined;
  let hasEnded = false;
  const watch =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (refusal !== undefined) throw refusal;
      // Made when it is needed: with its stack, an error for every transaction would cost more than many of them.
      if (hasEnded) throw new EventsSdkError('CLOSED', 'This transaction has ended.');
      try {
        return call(...args);
      } catch (error) {
        if (isEventsSdkError(error)) refusal = error;
        throw error;
      }
    };
  const tx = createSqlTransaction(db, summary);
  const value = work({
    clock: watch(tx.clock),
    count: watch(tx.count),
    events: watch(tx.events),
    event: watch(tx.event),
    value: watch(tx.value),
    raiseClock: watch(tx.raiseClock),
    insert: watch(tx.insert),
    update: watch(tx.update),
    remove: watch(tx.remove),
    setValue: watch(tx.setValue),
  });
  if (refusal !== undefined) throw refusal;
  hasEnded = true;
  if (value instanceof Promise) {
    throw new EventsSdkError('INVALID_ARGUMENT', 'Work inside a transaction must not be asynchronous.');
  }
  return value;
}
