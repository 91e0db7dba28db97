/** Loads `isomorphic-ws` at first use: Node's `ws` there, the browser's own class elsewhere. */
import type { WebSocketImplementation } from './socket.ts';

/** The class for this runtime. Only the default export exists on both sides. */
export async function loadWebSocket(): Promise<WebSocketImplementation> {
  const { default: implementation } = await import('isomorphic-ws');
  // Its types are those of `ws`, which a browser does not keep; ours say what both can do.
  return implementation as unknown as WebSocketImplementation;
}
