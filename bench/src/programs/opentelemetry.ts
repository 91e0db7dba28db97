/** OpenTelemetry: a log record through the batching processor, over HTTP to a server on this machine. */
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

await run({
  open() {
    const exporter = new OTLPLogExporter({ url: `${process.env['BENCH_SERVER'] ?? ''}/v1/logs` });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    const logger = provider.getLogger('bench');
    return { record: () => logger.emit({ body: ENVELOPE }), close: () => provider.shutdown() };
  },
});
