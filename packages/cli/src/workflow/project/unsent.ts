/**
 * Closes the gap between a change on disk and its events: what will be told is noted below git's common directory
 * before the change is made, and the note goes once the events are recorded. A process killed in between leaves the
 * note; the next command that works on the feature tells it then, if the disk shows that the change was made.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { readText, writeText } from '../files/text-files.ts';
import type { Repository } from './project-root.ts';

/** An event to be told, and how the disk shows that it happened. */
export interface Happening {
  readonly draft: Draft<SpecKittyEvents>;
  /** A file, relative to the project root, that holds this text once the change is made. Without one it is made already. */
  readonly evidence?: { readonly path: string; readonly text: string };
  /** True once somebody has tried to tell it and was answered that it was not recorded. */
  readonly isUntold?: boolean;
}

/** A note of one command. */
export interface Note {
  readonly happenings: readonly Happening[];
  /** Keeps only these for later; none: the note is gone. */
  keep(happenings: readonly Happening[]): void;
}

/** Writes a note. `id` is a ULID: notes are told in the order of their ids. */
export function writeNote(repository: Repository, feature: string, id: string, happenings: readonly Happening[]): Note {
  const path = join(folderOf(repository, feature), `${id}.json`);
  writeText(path, JSON.stringify(happenings));
  return noteAt(path, happenings);
}

/** The notes of commands that did not get to their events, oldest first. What cannot be read is no note. */
export function readNotes(repository: Repository, feature: string): readonly Note[] {
  const folder = folderOf(repository, feature);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.toSorted().map((name) => {
    const path = join(folder, name);
    return noteAt(path, happeningsIn(path));
  });
}

/** True when the disk shows the change, or the note needs no evidence. */
export function hasHappened(root: string, { evidence }: Happening): boolean {
  return evidence === undefined || readText(join(root, evidence.path), evidence.path)?.includes(evidence.text) === true;
}

function noteAt(path: string, happenings: readonly Happening[]): Note {
  return {
    happenings,
    keep(some) {
      if (some.length === 0) rmSync(path, { force: true });
      else writeText(path, JSON.stringify(some));
    },
  };
}

function happeningsIn(path: string): readonly Happening[] {
  try {
    const value: unknown = JSON.parse(readText(path, 'a note of unsent events') ?? '[]');
    // Written by writeNote only; the emitter checks every draft against the contract again.
    return Array.isArray(value) ? (value as Happening[]) : [];
  } catch {
    return [];
  }
}

function folderOf(repository: Repository, feature: string): string {
  return join(repository.gitCommonDir, 'spec-kitty', 'unsent', feature);
}
