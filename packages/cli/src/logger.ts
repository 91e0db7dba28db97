/**
 * The library's logger, without loading the library: the type is its own, and saying a warning once is needed
 * before anything else is.
 */
import type { Logger } from '@spec-kitty/events-sdk';

export type { Logger };

/** A logger that says each warning once: the same code with the same message only the first time. */
export function warnOnce(logger: Logger): Logger {
  const said = new Set<string>();
  return {
    warn(code, message) {
      const key = `${code}\u0000${message}`;
      if (said.has(key)) return;
      said.add(key);
      logger.warn(code, message);
    },
    debug: (code, message) => {
      logger.debug(code, message);
    },
  };
}
