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

/**
 * The command that helps, for warnings of the library, which knows no commands. Signing in is the indicator's to
 * say: it knows the server.
 */
const REMEDIES: Readonly<Record<string, string>> = {
  'event-held-project': 'Give it one: spec-kitty init',
  'event-held-team-changed': 'See: spec-kitty auth status',
  'event-dropped-full': 'Deliver: spec-kitty sync now',
  'queue-filling': 'Deliver: spec-kitty sync now',
};

/** The warning, followed by what to type where one command helps. */
export function withRemedy(code: string, message: string): string {
  const remedy = REMEDIES[code];
  return remedy === undefined ? message : `${message} ${remedy}`;
}
