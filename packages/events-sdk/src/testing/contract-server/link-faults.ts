/** Ways in which a realtime link of the contract server goes wrong, as data, so that a seed can draw and name them. */

/** What is wrong with a link. Events are counted from 1, as they arrive over that link. */
export type LinkFault =
  /** No snapshot comes first; the rest is as usual. */
  | { readonly kind: 'no-snapshot' }
  /** Takes and stores everything, says nothing at all: no snapshot, no answers, no pings. */
  | { readonly kind: 'silent' }
  /** After the answer to that event (0: after the snapshot) neither reads nor writes, and stays open. */
  | { readonly kind: 'half-open'; readonly afterEvents: number }
  /** Stores that event and does not answer it. */
  | { readonly kind: 'ack-lost'; readonly atEvent: number }
  /** Answers every event twice. */
  | { readonly kind: 'ack-twice' }
  /** Answers every event with the id of another one nobody sent. */
  | { readonly kind: 'ack-foreign' }
  /** Ends at that event (0: instead of the snapshot), with the code or, without one, by cutting the connection. */
  | { readonly kind: 'close'; readonly atEvent: number; readonly isStored: boolean; readonly code?: number }
  /** Sends this text instead of the snapshot. */
  | { readonly kind: 'babble'; readonly text: string };

/** An id of the right shape that no event has. */
export const FOREIGN_EVENT_ID = '01KGVZ3Q8M0000000000000000';

/** What the link does about one event. */
export interface EventConduct {
  /** Whether the event reaches the server at all. */
  readonly isTaken: boolean;
  /** How often it is answered. */
  readonly answers: number;
  readonly hasForeignId: boolean;
  readonly afterwards: 'go on' | 'freeze' | 'end';
}

const AS_USUAL: EventConduct = { isTaken: true, answers: 1, hasForeignId: false, afterwards: 'go on' };

/** What a link with this fault does about its n-th event; 0 stands for the snapshot. */
export function conductAt(fault: LinkFault | undefined, event: number): EventConduct {
  switch (fault?.kind) {
    case undefined:
    case 'no-snapshot':
    case 'babble':
      return AS_USUAL;
    case 'silent':
      return { ...AS_USUAL, answers: 0 };
    case 'half-open':
      return { ...AS_USUAL, afterwards: event === fault.afterEvents ? 'freeze' : 'go on' };
    case 'ack-lost':
      return { ...AS_USUAL, answers: event === fault.atEvent ? 0 : 1 };
    case 'ack-twice':
      return { ...AS_USUAL, answers: 2 };
    case 'ack-foreign':
      return { ...AS_USUAL, hasForeignId: true };
    case 'close':
      if (event !== fault.atEvent) return AS_USUAL;
      return { isTaken: fault.isStored, answers: 0, hasForeignId: false, afterwards: 'end' };
    default:
      return fault satisfies never;
  }
}
