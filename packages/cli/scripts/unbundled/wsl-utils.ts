/**
 * Bundled in place of `wsl-utils`, which the framework loads at every start (6 ms) only to write `wsl` for `linux` in
 * a user agent that nothing here sends, and on Windows to ask PowerShell for the name of the shell.
 */
export const isWsl = false;
export default isWsl;

/** The framework falls back to COMSPEC when this fails. */
export function powerShellPath(): Promise<never> {
  return Promise.reject(new Error('The shell is not asked for.'));
}
