/** A realtime transport in memory: links open and accept everything unless a test says otherwise, and end when it says so. */
import type { EventVerdict } from '../contract/batch.ts';
import type { BatchItem, PushAnswer } from '../transport/port.ts';
import type {
  ConnectAnswer,
  LinkLoss,
  RealtimeContext,
  RealtimeLink,
  RealtimeTransport,
} from '../transport/realtime-port.ts';

/** What an attempt comes to instead of a link; `hang`: it waits until it is stopped. */
export type ScriptedConnect = Exclude<ConnectAnswer, { readonly kind: 'connected' }> | 'hang';

/** What a push is answered; `hang`: nothing, until it is stopped or its link ends. */
export type ScriptedPush = PushAnswer | 'hang' | ((batch: readonly BatchItem[]) => PushAnswer | Promise<PushAnswer>);

export interface FakeRealtime extends RealtimeTransport {
  /** Every attempt, in order, with the context it was made in. */
  readonly attempts: readonly RealtimeContext[];
  /** Every batch that went over a link, in order. */
  readonly pushes: readonly (readonly BatchItem[])[];
  /** Event ids accepted, in order, each once. */
  readonly accepted: readonly string[];
  /** Links open now. */
  readonly openLinks: number;
  /** What the next attempts come to; afterwards it is as usual. */
  connectNext(...answers: readonly ScriptedConnect[]): void;
  /** What attempts come to without a script from now on. Default `open`: a link. */
  connectUsually(answer: ScriptedConnect | 'open'): void;
  /** Answers for the next pushes; afterwards everything is accepted again. */
  answerNext(...answers: readonly ScriptedPush[]): void;
  /** Shows an event of somebody else on every open link. */
  show(event: unknown): void;
  /** Ends every open link; by default because the server closed it. */
  lose(loss?: LinkLoss): void;
}

interface OpenLink {
  readonly context: RealtimeContext;
  end(answer: PushAnswer): void;
}

const STOPPED = { kind: 'retryable', reason: 'aborted', message: 'Stopped.' } as const;
const CLOSED: LinkLoss = { reason: 'closed', message: 'The link was closed.' };

export function createFakeRealtime(): FakeRealtime {
  const attempts: RealtimeContext[] = [];
  const pushes: (readonly BatchItem[])[] = [];
  const accepted: string[] = [];
  const connects: ScriptedConnect[] = [];
  const answers: ScriptedPush[] = [];
  let usually: ScriptedConnect | 'open' = 'open';
  const open = new Set<OpenLink>();

  function accept(batch: readonly BatchItem[]): PushAnswer {
    const verdicts = batch.map(({ eventId }): EventVerdict => {
      if (accepted.includes(eventId)) return { eventId, verdict: 'duplicate' };
      accepted.push(eventId);
      return { eventId, verdict: 'success' };
    });
    return { kind: 'ok', verdicts };
  }

  function openLink(context: RealtimeContext): RealtimeLink {
    let over: PushAnswer | undefined;
    let turn: Promise<unknown> = Promise.resolve();
    const { promise: ended, resolve: endPushes } = Promise.withResolvers<PushAnswer>();
    const entry: OpenLink = {
      context,
      end(answer) {
        open.delete(entry);
        over ??= answer;
        endPushes(over);
      },
    };
    open.add(entry);

    async function push(batch: readonly BatchItem[], signal: AbortSignal | undefined): Promise<PushAnswer> {
      if (over !== undefined) return over;
      if (signal?.aborted === true) return STOPPED;
      pushes.push(batch);
      const script = answers.shift();
      if (script === undefined) return accept(batch);
      if (typeof script === 'object') return script;
      const scripted = script === 'hang' ? ended : Promise.resolve(script(batch));
      return Promise.race([scripted, ended, stopped(signal)]);
    }

    return {
      push(batch, signal) {
        const answer = turn.then(() => push(batch, signal));
        turn = answer;
        return answer;
      },
      close() {
        entry.end(STOPPED);
      },
    };
  }

  return {
    attempts,
    pushes,
    accepted,
    get openLinks() {
      return open.size;
    },
    connectNext: (...next) => {
      connects.push(...next);
    },
    connectUsually(answer) {
      usually = answer;
    },
    answerNext: (...next) => {
      answers.push(...next);
    },
    show(event) {
      for (const { context } of open) observe(() => context.onEvent(event));
    },
    lose(loss = CLOSED) {
      for (const link of open) {
        link.end(answerAfter(loss));
        observe(() => link.context.onLost(loss));
      }
    },
    async connect(context) {
      attempts.push(context);
      if (context.signal?.aborted === true) return STOPPED;
      const script = connects.shift() ?? usually;
      if (script === 'hang') return stopped(context.signal);
      return script === 'open' ? { kind: 'connected', link: openLink(context) } : script;
    },
  };
}

function answerAfter({ reason, message }: LinkLoss): PushAnswer {
  if (reason === 'unauthorized') return { kind: 'unauthorized' };
  return { kind: 'retryable', reason: reason === 'silent' ? 'timeout' : 'unreachable', message };
}

/** Resolves when the signal aborts; never without one. */
function stopped(signal: AbortSignal | undefined): Promise<typeof STOPPED> {
  return new Promise((resolve) => {
    signal?.addEventListener(
      'abort',
      () => {
        resolve(STOPPED);
      },
      { once: true },
    );
  });
}

function observe(tell: () => void): void {
  try {
    tell();
  } catch {
    // The port promises that an observer that throws is ignored.
  }
}
