/**
 * The core: framework-agnostic, no Node modules, no adapters. Exported by name, so that what is public is a
 * decision. Stores, transports and everything of Node have entries of their own.
 */
export type { Session, SessionProvider, TokenAnswer } from './auth/port.ts';
export {
  createClient,
  type BackgroundOptions,
  type Client,
  type ClientDeps,
  type ClientEmitOptions,
} from './client.ts';
export type { BeforeStore } from './client/before-store.ts';
export type { FlushOptions } from './client/flush.ts';
export type { Hooks, PushSeen } from './client/hooks.ts';
export {
  afterReceiving,
  compareEvents,
  createLamportClock,
  nextTick,
  type ClockCell,
  type ClockStore,
  type LamportClock,
  type OrderKey,
} from './clock/lamport.ts';
export type { AnyEnvelope, EventEnvelope } from './contract/envelope.ts';
export {
  defineEvent,
  type Draft,
  type EventDefinition,
  type EventMap,
  type EventType,
  type PayloadOf,
} from './contract/event-map.ts';
export { specKittyEvents, type Lane, type SpecKittyEvents } from './contract/spec-kitty-events.ts';
export type { DroppedReason, EmitOutcome, HeldReason, SpilledEnvelope } from './emit-outcome.ts';
export { createEmitter, type EmissionFacts, type EmitOptions, type Emitter, type EmitterDeps } from './emitter.ts';
export {
  createBackgroundSync,
  type BackgroundStatus,
  type BackgroundSync,
  type BackgroundSyncDeps,
  type StartAnswer,
  type StopAnswer,
} from './engine/background-sync.ts';
export type { ProjectLookup } from './engine/binder.ts';
export type { EventExplanation, WaitingGate } from './engine/explain.ts';
export type { StartOptions } from './engine/take-lease.ts';
export type { LeaseDeps, LeaseOwner } from './engine/lease.ts';
export type { Link, LinkReason, LinkState } from './engine/link.ts';
export { describeLinkReason } from './engine/link-words.ts';
export type { LinkStatus } from './engine/link-record.ts';
export type { DeliveryCounts, RejectedEvent, SyncProgress, SyncReport, SyncStop } from './engine/report.ts';
export type { SyncStatus } from './engine/status.ts';
export { createSyncEngine, type SyncEngine, type SyncEngineDeps, type SyncOptions } from './engine/sync-engine.ts';
export { EventsSdkError, isEventsSdkError, type EventsSdkErrorCode } from './errors.ts';
export * from './events/builders.ts';
export {
  createEnvelopeFactory,
  createEventFactory,
  type Created,
  type EventFactory,
  type EventFactoryDeps,
} from './events/factory.ts';
export type { StampFacts, UnclockedEnvelope } from './events/stamp.ts';
export { createUlidFactory, isUlid, type UlidFactoryDeps } from './id/ulid.ts';
export { silentLogger, warnOnce, type Logger } from './internal/logger.ts';
export { redactText, trimStack, type RedactOptions } from './internal/redact.ts';
export { systemTime, type Time } from './internal/time.ts';
export type { ProjectFacts } from './queue/binding.ts';
export {
  createOfflineQueue,
  type AppendAnswer,
  type BatchRequest,
  type OfflineQueue,
  type OfflineQueueDeps,
  type OverflowPolicy,
  type Placement,
  type QueueSize,
} from './queue/offline-queue.ts';
export type { Destination } from './queue/destinations.ts';
export {
  createRejectedEvents,
  type RejectedDecision,
  type RejectedEvents,
  type RejectedSelection,
} from './queue/rejected-events.ts';
export type { SettledRejection, Settlement } from './queue/settle.ts';
export type { AdoptAnswer } from './queue/release.ts';
export type {
  EventCount,
  EventQuery,
  EventState,
  EventStore,
  NewStoredEvent,
  QueuePosition,
  StoredEvent,
  StoredEventPatch,
  StoreReader,
  StoreTransaction,
} from './storage/port.ts';
export type { Spill, SpillAnswer, SpilledEmission, SpilledEvent } from './storage/spill.ts';
export { takingIn, type TakeInDeps } from './storage/take-in.ts';
export type {
  BatchItem,
  FailureReason,
  PushAnswer,
  PushContext,
  RetryableAnswer,
  RetryableReason,
  Transport,
} from './transport/port.ts';
export type {
  ConnectAnswer,
  LinkLoss,
  RealtimeContext,
  RealtimeLink,
  RealtimeTransport,
} from './transport/realtime-port.ts';
