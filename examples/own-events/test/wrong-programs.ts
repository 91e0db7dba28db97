/** Programs that must not compile: each line below a directive is wrong in the way the comment says. Never run. */
import type { Client, EventEnvelope } from '@spec-kitty/events-sdk';

import type { CacheDraft, CacheEvents } from '../src/events.ts';

export function emitWrongly(client: Client<CacheEvents>): readonly unknown[] {
  return [
    // @ts-expect-error: there is no such event
    client.emit({ type: 'TargetFailed', payload: {} }),
    // @ts-expect-error: the duration is missing
    client.emit({ type: 'TargetBuilt', payload: { target: 'site', key: '00000000', from: 'cache' } }),
    // @ts-expect-error: a target is not built from the moon
    client.emit({ type: 'TargetBuilt', payload: { target: 'site', key: '00000000', from: 'moon', duration_ms: 1 } }),
    // @ts-expect-error: this is the payload of another event
    client.emitAll([{ type: 'CachePruned', payload: { target: 'site', key: '00000000', because: 'new' } }]),
    // @ts-expect-error: these events are not of Spec Kitty
    client.emit({ type: 'WPCreated', payload: { wp_id: 'WP01', title: 'A', dependencies: [], feature_slug: '001-a' } }),
  ];
}

export const draft: CacheDraft = {
  type: 'CacheMissed',
  // @ts-expect-error: bytes are not what a miss is about
  payload: { target: 'site', key: '00000000', because: 'new', bytes: 1 },
};

export function bytes(event: EventEnvelope<CacheEvents>): number {
  if (event.event_type === 'CachePruned') return event.payload.bytes;
  // @ts-expect-error: only CachePruned has bytes
  return event.payload.bytes;
}

export async function outcome(client: Client<CacheEvents>): Promise<string> {
  const answer = await client.emit({ type: 'CachePruned', payload: { cache: 'local', entries: 1, bytes: 2 } });
  // @ts-expect-error: what was dropped has no envelope
  const unchecked = answer.envelope;
  void unchecked;
  // What was emitted is what the outcome speaks of.
  return answer.status === 'queued' ? answer.envelope.payload.cache : answer.status;
}
