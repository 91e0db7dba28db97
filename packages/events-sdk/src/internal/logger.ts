/**
 * Where warnings go. The library never writes to a console by itself: the host passes a logger.
 * Logs carry ids, types, counts and codes; never payloads, never tokens.
 */

/** What the library needs of a logger. */
export interface Logger {
  /** Something a person should know; the work went on. `code` is stable, for tests and for saying it once. */
  warn(code: string, message: string): void;
  /** Detail for someone looking for a fault. */
  debug(code: string, message: string): void;
}

/** Says nothing. */
export const silentLogger: Logger = { warn() {}, debug() {} };

/**
 * A logger that passes each warning on once: the same code with the same message is said only the first time. One that
 * throws is ignored: what is told must not harm the work it tells of.
 */
export function warnOnce(logger: Logger): Logger {
  const said = new Set<string>();
  return {
    warn(code, message) {
      const key = `${code}\u0000${message}`;
      if (said.has(key)) return;
      said.add(key);
      quietly(() => logger.warn(code, message));
    },
    debug: (code, message) => {
      quietly(() => logger.debug(code, message));
    },
  };
}

function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // There is nobody left to tell.
  }
}
