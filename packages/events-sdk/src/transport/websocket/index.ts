/** The realtime link over WebSocket. Loads its WebSocket library at the first attempt. */
export type { WebSocketImplementation } from './socket.ts';
export { createWebSocketTransport, type WebSocketTransportOptions } from './websocket-transport.ts';
