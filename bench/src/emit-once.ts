/** Child process: what one emission adds to a command that did not know the library before. Prints milliseconds. */
const startedAt = performance.now();
const { openNodeClient } = await import('@spec-kitty/events-sdk/node');
const { wpStatusChanged } = await import('@spec-kitty/events-sdk');
const client = openNodeClient({ cwd: process.argv[2] ?? process.cwd() });
const outcome = await client.emit(wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' }));
const emittedAt = performance.now();
await client.close();
if (outcome.status === 'dropped') throw new Error(outcome.message);
console.log(JSON.stringify({ emitMs: emittedAt - startedAt, totalMs: performance.now() - startedAt }));
