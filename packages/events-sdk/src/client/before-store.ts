/**
 * The host's last word on an event before it is recorded. Before it is stored, not before it is sent: what is stored is
 * what is sent, on whatever machine and by whichever process (docs/decisions/0015-before-store.md).
 */
import type { Draft, EventMap, EventType } from '../contract/event-map.ts';
import type { EmitOutcome } from '../emit-outcome.ts';
import type { EmitOptions, Emitter } from '../emitter.ts';
import type { Logger } from '../internal/logger.ts';

/**
 * Sees each draft before it is checked, and answers what is to be stored, or null for an event that is not to be. What it
 * answers is checked like any draft; the type stays. One that throws, or answers a promise, costs the event, never its
 * secret: then nothing of the call is recorded. Not asynchronous, because no command waits for it.
 */
export type BeforeStore<M extends EventMap> = (draft: Draft<M>) => Draft<M> | null;

/** An emitter whose drafts `beforeStore` sees first. */
export function filtering<M extends EventMap>(
  emitter: Emitter<M>,
  beforeStore: BeforeStore<M>,
  logger: Logger,
): Emitter<M> {
  async function emitAll(drafts: readonly Draft<M>[], options?: EmitOptions): Promise<readonly EmitOutcome<M>[]> {
    const answers = drafts.map((draft) => ask(beforeStore, draft));
    if (answers.includes('failed')) {
      const message = `${drafts.length === 1 ? '1 event' : `${drafts.length} events`} not recorded: beforeStore has failed.`;
      logger.warn('event-dropped-filtered', message);
      return drafts.map(() => ({ status: 'dropped', reason: 'filtered', message }));
    }
    const kept = answers.filter((answer) => answer !== 'withheld' && answer !== 'failed');
    const outcomes = (await emitter.emitAll(kept, options)).values();
    return answers.map((answer) =>
      answer === 'withheld'
        ? { status: 'dropped', reason: 'filtered', message: 'Not recorded: beforeStore has withheld it.' }
        : // One outcome for each draft that was kept, in order.
          (outcomes.next().value as EmitOutcome<M>),
    );
  }

  return {
    emitAll,
    async emit<T extends EventType<M>>(draft: Draft<M, T>, options?: EmitOptions) {
      const [outcome] = await emitAll([draft], options);
      // One draft in, one outcome out, of the same type.
      return outcome as EmitOutcome<M, T>;
    },
  };
}

function ask<M extends EventMap>(beforeStore: BeforeStore<M>, draft: Draft<M>): Draft<M> | 'withheld' | 'failed' {
  try {
    const answer: unknown = beforeStore(draft);
    if (answer === null) return 'withheld';
    if (answer instanceof Promise) answer.catch(() => undefined);
    if (typeof answer !== 'object' || !('payload' in answer)) return 'failed';
    // What it holds is checked with the draft.
    return { ...(answer as Draft<M>), type: draft.type };
  } catch {
    return 'failed';
  }
}
