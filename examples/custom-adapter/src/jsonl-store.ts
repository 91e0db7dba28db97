/**
 * An `EventStore` without SQL: a journal of JSON lines, one committed transaction a line, with its index in memory.
 * A transaction is durable when it resolves (`fsync`), any number of processes share one journal (the SDK's directory
 * lock), and a line that a crash cut short is as if it had never been written.
 */
import { dirname } from 'node:path';
import { mkdirSync } from 'node:fs';

import { EventsSdkError, type EventStore } from '@spec-kitty/events-sdk';
import { withDirectoryLock } from '@spec-kitty/events-sdk/node';

import { openIndex, type Index } from './index-in-memory.ts';
import { openJournal, type Journal } from './journal.ts';

/** Where the journal is, and how patient its users are. */
export interface JsonlStoreOptions {
  readonly path: string;
  /** Longest wait for another process, in milliseconds; then STORAGE_BUSY. Default 5000. */
  readonly busyTimeoutMs?: number;
  /** How many lines the journal may have beyond twice its rows before it is written anew. Default 1000. */
  readonly slackLines?: number;
}

const DEFAULT_BUSY_TIMEOUT_MS = 5_000;
const DEFAULT_SLACK_LINES = 1_000;

/** Opens the journal, making the file (0600) and its folder (0700) where they are missing. Rejects with STORAGE_*. */
export async function openJsonlStore(options: JsonlStoreOptions): Promise<EventStore> {
  const { path, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS, slackLines = DEFAULT_SLACK_LINES } = options;
  let isClosed = false;
  let opened: { readonly journal: Journal; readonly index: Index } | undefined;

  /** What this process knows, brought up to what is on disk. A journal that another process wrote anew is read anew. */
  function upToDate(): { readonly journal: Journal; readonly index: Index } {
    if (opened?.journal.isCurrent() === false) {
      opened.journal.close();
      opened = undefined;
    }
    opened ??= { journal: openJournal(path), index: openIndex() };
    for (const changes of opened.journal.readOn()) opened.index.replay(changes);
    return opened;
  }

  function rewrite(journal: Journal, index: Index): void {
    try {
      journal.rewrite(index.everything());
    } catch {
      // Upkeep: the transaction stands, and the next one tries again.
    }
  }

  /** Alone among the processes, and in turn within this one. */
  let last: Promise<unknown> = Promise.resolve();
  function alone<T>(work: () => T | Promise<T>): Promise<T> {
    if (isClosed) return Promise.reject(new EventsSdkError('CLOSED', 'The store is closed.'));
    const turn = last.then(() => withDirectoryLock(`${path}.lock`, { waitMs: busyTimeoutMs }, async () => work()));
    last = turn.catch(() => {});
    return turn;
  }

  makeFolder(dirname(path));
  await alone(upToDate);

  return {
    transact: (work) =>
      alone(async () => {
        const { journal, index } = upToDate();
        // The line is on disk before the index takes the changes: what fails leaves neither.
        const result = await index.transact(work, (changes) => {
          if (changes.length > 0) journal.append(changes);
        });
        if (journal.lines > slackLines + 2 * index.size()) rewrite(journal, index);
        return result;
      }),
    read: (work) => alone(() => upToDate().index.read(work)),
    async close() {
      isClosed = true;
      await last;
      opened?.journal.close();
      opened = undefined;
    },
  };
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new EventsSdkError('STORAGE_UNAVAILABLE', 'The folder of the journal cannot be made.', { cause });
  }
}
