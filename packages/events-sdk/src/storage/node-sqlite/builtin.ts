/**
 * Gets `node:sqlite` where the runtime has it, without the notice that it is experimental: the only warning
 * held back here, and only while the module loads.
 */

/** The module, or undefined in a runtime without it (Node before 22.13, stripped builds). */
export function loadNodeSqlite(): typeof import('node:sqlite') | undefined {
  // Synchronous, so that no other code can warn meanwhile. A static import would fail where the module is missing.
  const warn = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite')) return;
    // The overloads of emitWarning cannot be spread; the arguments are passed on as they came.
    Reflect.apply(warn, process, [warning, ...rest]);
  };
  try {
    // Node 22.0 to 22.2 has neither this function nor the module.
    return process.getBuiltinModule?.('node:sqlite');
  } finally {
    process.emitWarning = warn;
  }
}

/** Whether `loadNodeSqlite` gives a module. */
export function isNodeSqliteAvailable(): boolean {
  return loadNodeSqlite() !== undefined;
}
