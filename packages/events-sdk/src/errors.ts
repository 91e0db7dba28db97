/**
 * The one error class of this library: a promise is broken and the caller must know which.
 * Expected outcomes (an event held back, a server that says no) are return values, never errors.
 */

/** Why a promise could not be kept. Stable: callers may switch on it. */
export type EventsSdkErrorCode =
  /** The store cannot be opened, read or written. */
  | 'STORAGE_UNAVAILABLE'
  /** Another process held the store longer than the bounded wait. */
  | 'STORAGE_BUSY'
  /** The store's file is damaged or not ours. */
  | 'STORAGE_CORRUPT'
  /** The store's file was removed or replaced while it was open; nothing is acknowledged until it is opened again. */
  | 'STORAGE_REPLACED'
  /** The file is in a state only the other driver may touch, or a newer version wrote it. */
  | 'STORAGE_REFUSED'
  /** The object was used after `close()`. */
  | 'CLOSED'
  /** The caller passed something that can never work (bad option, unknown event type). */
  | 'INVALID_ARGUMENT'
  /** A server address is neither https nor http on loopback, or is not a URL. */
  | 'INVALID_SERVER_URL'
  /** Sign-in was refused: wrong name or password. */
  | 'AUTH_REFUSED'
  /** The server could not be reached, or did not answer in time. */
  | 'SERVER_UNREACHABLE'
  /** The server answered with something outside the contract. */
  | 'SERVER_ANSWER_INVALID'
  /** Credentials, clock or config on disk cannot be read or written. */
  | 'FILE_UNUSABLE';

/** Thrown where a promise is broken; carries a stable {@link EventsSdkErrorCode} and keeps its cause. */
export class EventsSdkError extends Error {
  override readonly name = 'EventsSdkError';
  readonly code: EventsSdkErrorCode;

  constructor(code: EventsSdkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** True when `error` is ours and, if a code is given, carries that code. */
export function isEventsSdkError(error: unknown, code?: EventsSdkErrorCode): error is EventsSdkError {
  return error instanceof EventsSdkError && (code === undefined || error.code === code);
}
