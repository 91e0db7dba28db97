/**
 * Spans and counters for hosts that have OpenTelemetry: an adapter over the hooks of a client. The rest of the library knows
 * nothing of it; `@opentelemetry/api` is an optional peer and is loaded by whoever imports this entry, and by nobody else.
 */
import { metrics, SpanKind, SpanStatusCode, trace, type Meter, type Tracer } from '@opentelemetry/api';

import type { PushSeen } from '../client/hooks.ts';
import type { AnyEnvelope } from '../contract/envelope.ts';

const SCOPE = '@spec-kitty/events-sdk';

export interface OtelOptions {
  /** Default: the host's global one. */
  readonly tracer?: Tracer;
  /** Default: the host's global one. */
  readonly meter?: Meter;
}

/** Fits the `hooks` of a client of any event map. */
export interface OtelHooks {
  onEvent(
    envelope: Pick<AnyEnvelope, 'event_type' | 'event_id' | 'timestamp'>,
    outcome: { readonly status: string },
  ): void;
  onDrop(draft: { readonly type: string }, outcome: { readonly reason: string }): void;
  onPush(push: PushSeen): void;
}

/** What is asked for how many events wait: a client, or a client of a home, which knows why events are held. */
export interface QueueToObserve {
  status(): Promise<{
    readonly queued: number;
    readonly held: number | Readonly<Record<string, number>>;
    readonly parked: number;
  }>;
}

/**
 * Hooks that make a span `events.emit` of each recorded event and `events.push` of each request, below the span that is active
 * where the work was asked for, and count `events.recorded`, `events.dropped` and `events.verdicts`. Ids, types, counts and
 * codes only, never payloads.
 */
export function createOtelHooks(options: OtelOptions = {}): OtelHooks {
  const { tracer = trace.getTracer(SCOPE), meter = metrics.getMeter(SCOPE) } = options;
  const recorded = meter.createCounter('events.recorded', { description: 'Events that were stored, by outcome' });
  const dropped = meter.createCounter('events.dropped', { description: 'Events that were not recorded, by reason' });
  const verdicts = meter.createCounter('events.verdicts', { description: 'What servers said about events' });
  return {
    onEvent({ event_type, event_id, timestamp }, { status }) {
      const attributes = { 'event.type': event_type, 'event.outcome': status };
      recorded.add(1, attributes);
      // An envelope's timestamp is when its emission began.
      tracer
        .startSpan('events.emit', {
          kind: SpanKind.PRODUCER,
          startTime: new Date(timestamp),
          attributes: { ...attributes, 'event.id': event_id },
        })
        .end();
    },
    onDrop({ type }, { reason }) {
      dropped.add(1, { 'event.type': type, 'event.reason': reason });
    },
    onPush({ events, way, startedAt, endedAt, answer }) {
      const span = tracer.startSpan('events.push', {
        kind: SpanKind.CLIENT,
        startTime: new Date(startedAt),
        attributes: { 'events.count': events, 'events.way': way, 'events.answer': answer.kind },
      });
      if (answer.kind === 'ok')
        for (const { verdict } of answer.verdicts) verdicts.add(1, { 'event.verdict': verdict });
      else {
        span.setStatus({ code: SpanStatusCode.ERROR });
        if ('reason' in answer) span.setAttribute('events.reason', answer.reason);
      }
      span.end(new Date(endedAt));
    },
  };
}

/**
 * Measures `events.queue.size` by state whenever the host's metrics are collected, from the store itself; a store that cannot be
 * read is left out. Answers how to end it.
 */
export function observeQueue(
  client: QueueToObserve,
  { meter = metrics.getMeter(SCOPE) }: Pick<OtelOptions, 'meter'> = {},
): () => void {
  const gauge = meter.createObservableGauge('events.queue.size', { description: 'Events on this machine, by state' });
  const look: Parameters<typeof gauge.addCallback>[0] = async (result) => {
    const size = await client.status().catch(() => undefined);
    if (size === undefined) return;
    const { queued, held, parked } = size;
    result.observe(queued, { 'event.state': 'queued' });
    result.observe(typeof held === 'number' ? held : sum(Object.values(held)), { 'event.state': 'held' });
    result.observe(parked, { 'event.state': 'parked' });
  };
  gauge.addCallback(look);
  return () => gauge.removeCallback(look);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
