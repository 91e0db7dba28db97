/** Warnings of the library, said in the command line's words. */

/**
 * The command that helps, for warnings of the library, which knows no commands. Signing in is the indicator's to
 * say: it knows the server.
 */
const REMEDIES: Readonly<Record<string, string>> = {
  'event-held-project': 'Give it one: spec-kitty init',
  'event-held-team-changed': 'See: spec-kitty auth status',
  'event-dropped-full': 'Run: spec-kitty sync now',
  'queue-damaged': 'Look at it: spec-kitty sync store',
  'queue-filling': 'Run: spec-kitty sync now',
};

/** The warning, followed by what to type where one command helps. */
export function withRemedy(code: string, message: string): string {
  const remedy = REMEDIES[code];
  return remedy === undefined ? message : `${message} ${remedy}`;
}
