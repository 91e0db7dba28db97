/**
 * Closes the gap between commit and event: what is about to be told is noted below git's common directory before
 * the commit, and the note goes once the event is recorded. A process killed in between leaves the note, and the
 * next run of the same command tells it then (at least once, never not at all).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { readText, writeText } from '../files/text-files.ts';
import type { Repository } from './project-root.ts';

/** Drafts that wait for being told. */
export type UnsentDrafts = readonly Draft<SpecKittyEvents>[];

/** Notes drafts under a name, e.g. `001-demo-WP01`; replaces an older note. */
export function keepUnsent(repository: Repository, name: string, drafts: UnsentDrafts): void {
  writeText(pathOf(repository, name), JSON.stringify(drafts));
}

/** The note of an earlier run that did not get to its events; empty when there is none, or it is unreadable. */
export function readUnsent(repository: Repository, name: string): UnsentDrafts {
  try {
    const value: unknown = JSON.parse(readText(pathOf(repository, name), 'a note of unsent events') ?? '[]');
    // Written by keepUnsent only; the emitter checks every draft against the contract again.
    return Array.isArray(value) ? (value as UnsentDrafts) : [];
  } catch {
    return [];
  }
}

/** Forgets a note. */
export function dropUnsent(repository: Repository, name: string): void {
  rmSync(pathOf(repository, name), { force: true });
}

function pathOf(repository: Repository, name: string): string {
  return join(repository.gitCommonDir, 'spec-kitty', 'unsent', `${name}.json`);
}
