/** The wire contract: schemas, inferred types, limits. Pure: no I/O, no state. */
export * from './batch.ts';
export * from './envelope.ts';
export * from './event-map.ts';
export * from './json-schema.ts';
export * from './limits.ts';
export * from './realtime.ts';
export * from './spec-kitty-events.ts';
