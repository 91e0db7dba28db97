/** Batches, tokens and health over HTTP. Loads its HTTP client at the first request. */
export type { Fetch } from './exchange.ts';
export type { Gzip } from './gzip.ts';
export { createHttpTransport, type HttpTransportOptions } from './http-transport.ts';
export { probeServer, type ProbeOptions, type ProbeVerdict } from './probe-server.ts';
export { createHttpTokenEndpoint, type HttpTokenEndpointOptions } from './token-endpoint.ts';
