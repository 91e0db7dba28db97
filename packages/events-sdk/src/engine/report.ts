/** What one synchronisation did, and why it ended. */

/** Why a sync can end. */
export const SYNC_STOPS = [
  /** Everything sendable was offered to the server. */
  'drained',
  /** Nobody is signed in. */
  'logged-out',
  /** The sign-in is known but not accepted any more, even after a refresh. */
  'unauthorized',
  /** The server refuses this account (403). */
  'forbidden',
  /** The session has no team, so nothing may leave (FR-028b). */
  'no-team',
  'unreachable',
  'throttled',
  'server-error',
  /** The server speaks another contract, or answered with something that is not one. */
  'protocol',
  /** A batch was refused as a whole (400, 413) and could not be made smaller. */
  'refused',
  /** The server answered but decided nothing: going on would loop. */
  'no-progress',
  /** Another process is delivering for this home. */
  'busy',
  /** The caller's signal or deadline. */
  'aborted',
  /** The store could not be used. */
  'storage',
] as const;

export type SyncStop = (typeof SYNC_STOPS)[number];

/** A rejected event in a report: ids and the server's reason, never the payload. */
export interface RejectedEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly retryCount: number;
  readonly parked: boolean;
}

/** The outcome of one `syncNow`. Counts are of events. */
export interface SyncReport {
  readonly sent: number;
  readonly duplicates: number;
  readonly pending: number;
  /** Refused, and that was the last word on it in this sync: an event sent again with a new clock value is not here. */
  readonly rejected: readonly RejectedEvent[];
  /** Rejections counted by the server's reason. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Events that got a new clock value because the server's clock was ahead. */
  readonly restamped: number;
  readonly batches: number;
  /** Still sendable when the sync ended (pending and rejected rows included). */
  readonly remaining: number;
  readonly held: number;
  readonly parked: number;
  readonly stoppedBy: SyncStop;
  /** A sentence about the stop, where there is more to say than the code. */
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly durationMs: number;
}

/** What became of events within a stretch of time. Counts are of events. */
export interface DeliveryCounts {
  /** Taken by the server, duplicates among them. */
  readonly delivered: number;
  /** Still waiting on this machine; -1 where the store could not be read, or was not opened. */
  readonly pending: number;
  /** Refused by the server, each event once. */
  readonly rejected: number;
}

/** Told after every settled batch. */
export interface SyncProgress {
  /** Events offered so far, and sendable events when the sync began. */
  readonly offered: number;
  readonly total: number;
  readonly batches: number;
}
