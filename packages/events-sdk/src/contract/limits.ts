/** The contract's numbers, each with where it comes from. Units are in the names. */

/** FR-033, CONTRACT §9.1: the most events one batch request may carry. */
export const MAX_EVENTS_PER_BATCH = 1000;

/** FR-033: the shortest time between two background batches. */
export const BATCH_INTERVAL_MS = 5_000;

/** US7-2: the longest time between two looks at a queue that is not empty. */
export const FLUSH_INTERVAL_MS = 300_000;

/** SPEC, edge case queue overflow: the most events waiting (queued and held). */
export const MAX_QUEUED_EVENTS = 10_000;

/** Share of the cap from which a warning is shown (DESIGN §4.5). */
export const QUEUE_WARNING_SHARE = 0.8;

/** Our own ceiling for one decompressed batch body, whatever a server accepts (DESIGN §4.6). */
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** The rejection that parks an event: it is kept, but no longer sent (DESIGN §4.6). */
export const MAX_REJECTIONS = 5;

/** FR-032: backoff grows from the first to the second number. */
export const BACKOFF_MIN_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

/** US7-1: while a server cannot be reached, one attempt and the wait after it never take longer than this together. */
export const OFFLINE_CYCLE_MS = 30_000;

/** CONTRACT §10: failed attempts in a row after which a realtime link is given up for batches. */
export const MAX_RECONNECTS = 10;

/** CONTRACT §9.1: how long one batch request may take. */
export const BATCH_TIMEOUT_MS = 60_000;

/** CONTRACT §8.2: how long one authentication request may take. */
export const AUTH_TIMEOUT_MS = 10_000;

/** CONTRACT §8.3: lifetimes assumed when the server does not say. */
export const DEFAULT_ACCESS_LIFETIME_S = 900;
export const DEFAULT_REFRESH_LIFETIME_S = 604_800;

/** Our own bound: how long one attempt may take to open a realtime link, apart from asking for its token. */
export const REALTIME_OPEN_TIMEOUT_MS = 10_000;

/** CONTRACT §8.3: how long a realtime token lives. */
export const REALTIME_TOKEN_LIFETIME_S = 900;

/** DESIGN §4.8: how long a server waits for the first frame of a client that cannot send headers. */
export const REALTIME_AUTH_TIMEOUT_MS = 5_000;

/** CONTRACT §10: how long a client waits for the snapshot. Without one the link counts all the same. */
export const REALTIME_SNAPSHOT_TIMEOUT_MS = 5_000;

/** CONTRACT §10: how long a client waits for the answers after the last event it sent. */
export const REALTIME_ACK_TIMEOUT_MS = 5_000;

/** How often a server sends a ping. */
export const REALTIME_PING_INTERVAL_MS = 20_000;

/** Two pings and some patience: a link on which nothing arrives for longer is dead, though it looks open. */
export const REALTIME_SILENCE_MS = 45_000;

/** The longest frame that is read. A snapshot of 10,000 work packages fits. */
export const MAX_REALTIME_FRAME_BYTES = 4 * 1024 * 1024;
