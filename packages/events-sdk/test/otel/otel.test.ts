/** The adapter on the real OpenTelemetry, with its exporters in memory; and the library where it is not installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { expect, onTestFinished, test } from 'vitest';

import { wpStatusChanged } from '../../src/events/builders.ts';
import { createOtelHooks, observeQueue } from '../../src/otel/index.ts';
import { MOVE, setupClient } from '../core/client-setup.ts';
import { makeWorld } from '../node/world.ts';

/** OpenTelemetry as a host sets it up, and what it has recorded. */
function telemetry() {
  const contexts = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contexts);
  const spans = new InMemorySpanExporter();
  const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const metering = new MeterProvider({ readers: [reader] });
  onTestFinished(async () => {
    context.disable();
    await Promise.all([tracing.shutdown(), metering.shutdown()]);
  });
  const tracer = tracing.getTracer('test');
  return {
    tracer,
    meter: metering.getMeter('test'),
    spans: () => spans.getFinishedSpans(),
    /** Name → points, as collected now. */
    async measures() {
      await metering.forceFlush();
      const found: Record<string, unknown[]> = {};
      for (const { descriptor, dataPoints } of exporter.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? [])
        found[descriptor.name] = dataPoints.map(({ value, attributes }) => [value, attributes]);
      return found;
    },
  };
}

test('makes spans of emissions and requests, below the span of whoever asked', async () => {
  const { tracer, meter, spans } = telemetry();
  const { client, transport } = setupClient({ hooks: createOtelHooks({ tracer, meter }) });
  transport.answerNext({ kind: 'retryable', reason: 'unreachable', message: 'No route.' });
  const command = tracer.startSpan('command');

  await context.with(trace.setSpan(context.active(), command), async () => {
    await client.emit(MOVE);
    await client.syncNow();
    await client.syncNow();
  });
  command.end();

  const { spanId } = command.spanContext();
  expect(spans().map(({ name, parentSpanContext, status }) => [name, parentSpanContext?.spanId, status.code])).toEqual([
    ['events.emit', spanId, SpanStatusCode.UNSET],
    ['events.push', spanId, SpanStatusCode.ERROR],
    ['events.push', spanId, SpanStatusCode.UNSET],
    ['command', undefined, SpanStatusCode.UNSET],
  ]);
  expect(spans()[1]?.attributes).toEqual({
    'events.count': 1,
    'events.way': 'batch',
    'events.answer': 'retryable',
    'events.reason': 'unreachable',
  });
});

test('spans and counters carry ids, types and codes, no payloads (SEC-2)', async () => {
  const { tracer, meter, spans, measures } = telemetry();
  const { client } = setupClient({ hooks: createOtelHooks({ tracer, meter }) });

  await client.emit(
    wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', changedBy: 'hunter2' }),
  );
  await client.flush();

  const seen = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  expect(seen).toHaveLength(2);
  expect(JSON.stringify([seen, await measures()])).not.toContain('hunter2');
});

test('counts what was recorded, dropped and decided, and measures what waits', async () => {
  const { tracer, meter, measures } = telemetry();
  const { client } = setupClient({ hooks: createOtelHooks({ tracer, meter }) });
  const stop = observeQueue(client, { meter });
  await client.emitAll([MOVE, MOVE]);
  await client.emit(wpStatusChanged({ wpId: 'nonsense', previousStatus: 'planned', newStatus: 'doing' }));

  expect((await measures())['events.queue.size']).toEqual([
    [2, { 'event.state': 'queued' }],
    [0, { 'event.state': 'held' }],
    [0, { 'event.state': 'parked' }],
  ]);
  await client.flush();
  const after = await measures();
  stop();
  await client.close();

  expect(after).toMatchObject({
    'events.recorded': [[2, { 'event.type': 'WPStatusChanged', 'event.outcome': 'queued' }]],
    'events.dropped': [[1, { 'event.type': 'WPStatusChanged', 'event.reason': 'invalid' }]],
    'events.verdicts': [[2, { 'event.verdict': 'success' }]],
  });
  expect((after['events.queue.size'] ?? [])[0]).toEqual([0, { 'event.state': 'queued' }]);
});

test('measures the queue of a home as well', async () => {
  const { meter, measures } = telemetry();
  const { client } = makeWorld().open();
  await client.emit(MOVE);
  observeQueue(client, { meter });

  expect((await measures())['events.queue.size']).toContainEqual([1, { 'event.state': 'held' }]);
});

test('without a provider of the host the hooks cost nothing and change nothing', async () => {
  const { client } = setupClient({ hooks: createOtelHooks() });
  const stop = observeQueue(client);

  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued' });
  expect(await client.flush()).toEqual({ delivered: 1, pending: 0, rejected: 0 });
  stop();
});

test('where OpenTelemetry is not installed everything else works, and nothing asks for it', async () => {
  const program = fileURLToPath(new URL('./fixtures/without-otel.child.ts', import.meta.url));
  const env = { PATH: process.env['PATH'], SPEC_KITTY_HOME: join(tmpdir(), 'no-home-of-this-test') };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));

  const [code] = (await once(child, 'close')) as [number | null];

  expect({ code, said: JSON.parse(said) as unknown }).toEqual({
    code: 0,
    said: { status: 'dry-run', askedFor: 0, heard: 1, adapter: 'ERR_MODULE_NOT_FOUND' },
  });
});
