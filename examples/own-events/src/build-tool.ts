/** The build tool: a toy that does its work and tells of it. It knows the events and a way to emit them, nothing else. */
import type { Emitter } from '@spec-kitty/events-sdk';

import type { CacheDraft, CacheEvents } from './events.ts';

/** A target and what it is made of. */
export interface Target {
  readonly name: string;
  readonly sources: string;
}

/** Builds the targets, prunes what nobody asked for, and tells what happened as one action. */
export async function build(targets: readonly Target[], cache: Map<string, string>, tell: Emitter<CacheEvents>) {
  const drafts: CacheDraft[] = [];
  for (const { name, sources } of targets) {
    const key = hash(sources);
    const present = cache.get(name);
    if (present !== key)
      drafts.push({
        type: 'CacheMissed',
        payload: { target: name, key, because: present === undefined ? 'new' : 'changed' },
      });
    cache.set(name, key);
    const from = present === key ? 'cache' : 'sources';
    drafts.push({ type: 'TargetBuilt', payload: { target: name, key, from, duration_ms: from === 'cache' ? 1 : 40 } });
  }
  const unused = [...cache.keys()].filter((name) => targets.every((target) => target.name !== name));
  for (const name of unused) cache.delete(name);
  if (unused.length > 0)
    drafts.push({
      type: 'CachePruned',
      payload: { cache: 'local', entries: unused.length, bytes: unused.length * 512 },
    });
  return tell.emitAll(drafts);
}

/** FNV-1a: enough to tell sources apart here. */
function hash(text: string): string {
  let sum = 0x811c9dc5;
  for (const char of text) sum = Math.imul(sum ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return sum.toString(16).padStart(8, '0');
}
