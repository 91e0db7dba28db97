/** A transport that keeps what it is given and answers as told; without a word it accepts everything. */
import type { EventVerdict } from '../contract/batch.ts';
import type { BatchItem, PushAnswer, PushContext, Transport } from '../transport/port.ts';

/** An answer, or a function of the batch that makes one. */
export type ScriptedAnswer =
  | PushAnswer
  | ((batch: readonly BatchItem[], context: PushContext) => PushAnswer | Promise<PushAnswer>);

export interface FakeTransport extends Transport {
  /** Every batch pushed, in order, with the context it was pushed in. */
  readonly pushes: readonly { readonly batch: readonly BatchItem[]; readonly context: PushContext }[];
  /** Event ids accepted, in order, each once. */
  readonly accepted: readonly string[];
  /** Answers for the next pushes, in order; afterwards everything is accepted again. */
  answerNext(...answers: readonly ScriptedAnswer[]): void;
  /** Where the server's clock stands when it is asked; undefined: it does not say. */
  setServerClock(value: number | undefined): void;
  /** How often it was asked. */
  readonly clockQuestions: number;
  /** Forgets scripted answers that were not used; answers how many there were. */
  forgetAnswers(): number;
}

export function createFakeTransport(): FakeTransport {
  let serverClock: number | undefined;
  let clockQuestions = 0;
  /** Beside the list: with thousands of events a search in it would take longer than the test. */
  const known = new Set<string>();
  const pushes: { batch: readonly BatchItem[]; context: PushContext }[] = [];
  const accepted: string[] = [];
  const script: ScriptedAnswer[] = [];

  function accept(batch: readonly BatchItem[]): PushAnswer {
    const verdicts = batch.map(({ eventId }): EventVerdict => {
      if (known.has(eventId)) return { eventId, verdict: 'duplicate' };
      known.add(eventId);
      accepted.push(eventId);
      return { eventId, verdict: 'success' };
    });
    return { kind: 'ok', verdicts };
  }

  return {
    pushes,
    accepted,
    answerNext: (...answers) => {
      script.push(...answers);
    },
    setServerClock(value) {
      serverClock = value;
    },
    get clockQuestions() {
      return clockQuestions;
    },
    serverClock() {
      clockQuestions += 1;
      return Promise.resolve(serverClock);
    },
    forgetAnswers: () => script.splice(0).length,
    async push(batch, context) {
      if (context.signal?.aborted === true) {
        return { kind: 'retryable', reason: 'aborted', message: 'Sending was stopped.' };
      }
      pushes.push({ batch, context });
      const next = script.shift();
      if (next === undefined) return accept(batch);
      return typeof next === 'function' ? await next(batch, context) : next;
    },
  };
}
