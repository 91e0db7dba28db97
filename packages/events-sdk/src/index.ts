/** The core: framework-agnostic, no Node modules, no adapters. */
export { EventsSdkError, isEventsSdkError, type EventsSdkErrorCode } from './errors.ts';
export { systemTime, type Time } from './internal/time.ts';
export { silentLogger, type Logger } from './internal/logger.ts';
export * from './events/builders.ts';
