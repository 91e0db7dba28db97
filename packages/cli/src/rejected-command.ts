/** What `sync rejected retry` and `drop` share: which events are meant, and how the answer reads. */
import * as Flags from '@oclif/core/flags';
import type { RejectedDecision, RejectedSelection } from '@spec-kitty/events-sdk';

import type { CommandOutcome } from './command.ts';
import { UsageError } from './failure.ts';
import { renderDecision } from './render/rejected.ts';

/** Ids follow the command as plain words, any number of them. */
export const selectionFlags = {
  all: Flags.boolean({ description: 'Every refused event.' }),
};

/** The ids typed, or all; neither or both is a mistake of the command line. */
export function selectionOf(ids: readonly string[], all: boolean): RejectedSelection {
  if (all && ids.length > 0) throw new UsageError('Name events, or say --all; not both.');
  if (!all && ids.length === 0)
    throw new UsageError('Which events? Name their ids, or say --all.', 'See: spec-kitty sync rejected list');
  return all ? 'all' : ids;
}

/** Exit code 1 when an event that was named could not be dealt with. */
export function decisionOutcome(
  decision: RejectedDecision,
  word: Parameters<typeof renderDecision>[1],
): CommandOutcome {
  const { done, unknown, unreadable } = decision;
  return {
    data: { done, unknown, unreadable },
    text: renderDecision(decision, word),
    exitCode: unknown.length + unreadable.length > 0 ? 1 : 0,
  };
}
