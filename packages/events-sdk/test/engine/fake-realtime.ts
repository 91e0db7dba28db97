/** A realtime transport in memory: a test says how attempts end, and speaks for the server over the open link. */
import type { EventVerdict } from '../../src/contract/batch.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import type { ConnectAnswer, LinkLoss, RealtimeContext, RealtimeTransport } from '../../src/transport/realtime-port.ts';

/** How an attempt ends; `open`: a link. */
export type ConnectScript = 'open' | 'hang' | Exclude<ConnectAnswer, { kind: 'connected' }>;

export interface FakeRealtime extends RealtimeTransport {
  readonly attempts: readonly RealtimeContext[];
  /** Batches pushed over a link. */
  readonly pushes: readonly (readonly BatchItem[])[];
  readonly accepted: readonly string[];
  readonly isOpen: boolean;
  /** How the next attempts end, in order; afterwards `standard`. */
  connectNext(...script: readonly ConnectScript[]): void;
  /** How attempts end without a script. Default: `open`. */
  standard: ConnectScript;
  /** What the next pushes are answered; afterwards every event is acknowledged. */
  answerNext(...answers: readonly ((batch: readonly BatchItem[]) => PushAnswer)[]): void;
  /** The server ends the link. */
  lose(reason?: LinkLoss['reason']): void;
  /** Somebody else's event arrives. */
  receive(event: unknown): void;
}

export function createFakeRealtime(): FakeRealtime {
  const attempts: RealtimeContext[] = [];
  const pushes: (readonly BatchItem[])[] = [];
  const accepted: string[] = [];
  const connects: ConnectScript[] = [];
  const answers: ((batch: readonly BatchItem[]) => PushAnswer)[] = [];
  let open: RealtimeContext | undefined;

  const acknowledge = (batch: readonly BatchItem[]): PushAnswer => ({
    kind: 'ok',
    verdicts: batch.map(({ eventId }): EventVerdict => {
      const isKnown = accepted.includes(eventId);
      if (!isKnown) accepted.push(eventId);
      return { eventId, verdict: isKnown ? 'duplicate' : 'success' };
    }),
  });

  const fake: FakeRealtime = {
    attempts,
    pushes,
    accepted,
    standard: 'open',
    get isOpen() {
      return open !== undefined;
    },
    connectNext: (...script) => void connects.push(...script),
    answerNext: (...next) => void answers.push(...next),
    lose(reason = 'closed') {
      const lost = open;
      open = undefined;
      lost?.onLost({ reason, message: 'The link ended.' });
    },
    receive: (event) => open?.onEvent(event),
    connect(context) {
      attempts.push(context);
      const script = connects.shift() ?? fake.standard;
      if (script === 'hang')
        return new Promise((resolve) => {
          context.signal?.addEventListener('abort', () => {
            resolve({ kind: 'retryable', reason: 'aborted', message: 'Stopped.' });
          });
        });
      if (script !== 'open') return Promise.resolve(script);
      open = context;
      return Promise.resolve({
        kind: 'connected',
        link: {
          push: (batch) => {
            if (open !== context)
              return Promise.resolve({ kind: 'retryable', reason: 'unreachable', message: 'The link is closed.' });
            pushes.push(batch);
            return Promise.resolve((answers.shift() ?? acknowledge)(batch));
          },
          close() {
            if (open === context) open = undefined;
          },
        },
      });
    },
  };
  return fake;
}
