/** The four lanes, the words people use for them, and which way leads from one to another. Pure. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { WorkflowError } from '../errors.ts';

/** In the order of a package's life. Spelled out here, and held to the contract: its schemas are too much to load for four words. */
export const LANES = Object.keys({
  planned: true,
  doing: true,
  for_review: true,
  done: true,
} satisfies Record<Lane, true>) as readonly Lane[]; // the keys of what stands there

const ALIASES: Readonly<Record<string, Lane>> = {
  in_progress: 'doing',
  pending: 'planned',
  claimed: 'planned',
  in_review: 'for_review',
};

/** Allowed without force. `done` is left only with force. */
const WAYS: Readonly<Record<Lane, readonly Lane[]>> = {
  planned: ['doing'],
  doing: ['for_review', 'planned', 'done'],
  for_review: ['doing', 'planned', 'done'],
  done: [],
};

/** A lane from what a person typed or a file says: trimmed, any case, aliases taken. Undefined for anything else. */
export function readLane(text: string): Lane | undefined {
  const word = text.trim().toLowerCase();
  return LANES.find((lane) => lane === word) ?? (Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined);
}

/** Same, but refuses an unknown word. */
export function parseLane(text: string, wpId?: string): Lane {
  const lane = readLane(text);
  if (lane === undefined) {
    throw new WorkflowError(
      'lane-unknown',
      `"${text}" is not a lane: the lanes are ${LANES.join(', ')}.`,
      wpId === undefined ? {} : { wpId },
    );
  }
  return lane;
}

/** A wished move between lanes. */
export interface Move {
  readonly from: Lane;
  readonly to: Lane;
  readonly force?: boolean;
  /** What the person says about it. */
  readonly note?: string;
}

/** `same` succeeds without being a transition; `allowed` may carry a warning; `refused` says why. */
export type MoveVerdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'allowed'; readonly warning?: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Judges a move by the table alone; gates such as open subtasks are the commands' own. */
export function judgeMove({ from, to, force, note }: Move): MoveVerdict {
  if (from === to) return { kind: 'same' };
  if (force === true) return { kind: 'allowed' };
  if (!WAYS[from].includes(to)) {
    const ways =
      WAYS[from].length === 0 ? 'leaving it needs --force' : `from there it can go to ${WAYS[from].join(', ')}`;
    return { kind: 'refused', reason: `it is in ${from}, and ${ways}` };
  }
  if (from === 'doing' && to === 'done') {
    return note === undefined || note.trim() === ''
      ? { kind: 'refused', reason: 'going from doing to done skips the review and needs a note that says why' }
      : { kind: 'allowed', warning: 'It went from doing to done without a review.' };
  }
  return { kind: 'allowed' };
}
