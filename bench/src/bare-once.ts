/** Child process: the least a durable append can cost here: node:sqlite alone, one row in one transaction. */
const startedAt = performance.now();
process.removeAllListeners('warning');
const { openBare, appendBare } = await import('./bare.ts');
const db = openBare(process.argv[2] ?? 'bare.db');
appendBare(db);
const emittedAt = performance.now();
db.close();
console.log(JSON.stringify({ emitMs: emittedAt - startedAt, totalMs: performance.now() - startedAt }));
