/**
 * The simulated network between a process and the servers. Requests take their time and go on when whoever made them has
 * died; in bad weather they or their answers are lost, cut off, or meet no line at all.
 */
import type { TokenEndpoint, TokenEndpointAnswer } from '../../src/auth/token-endpoint.ts';
import { AUTH_TIMEOUT_MS, BATCH_TIMEOUT_MS, REALTIME_OPEN_TIMEOUT_MS } from '../../src/contract/limits.ts';
import { classifyAnswer } from '../../src/transport/classify.ts';
import type { BatchItem, PushAnswer, PushContext, Transport } from '../../src/transport/port.ts';
import type {
  ConnectAnswer,
  RealtimeContext,
  RealtimeLink,
  RealtimeTransport,
} from '../../src/transport/realtime-port.ts';
import type { SimulatedProcess } from './process.ts';
import type { RawAnswer, Servers } from './server.ts';
import type { World } from './world.ts';

/** What becomes of one exchange: the server's answer, or none. */
type Exchanged<T> = T | 'unreachable' | 'timeout' | 'aborted';

export interface Network {
  readonly transport: Transport;
  readonly realtime: RealtimeTransport;
  readonly endpoint: TokenEndpoint;
}

export function createNetwork(world: World, servers: Servers, process: SimulatedProcess): Network {
  const { chance, time, note, sometimes } = world;

  /** One request and its answer. `serve` happens when the request arrives, whoever still waits for it then. */
  function exchange<T>(
    serve: () => T,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<Exchanged<T>> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve('aborted');
        return;
      }
      const cancels: (() => void)[] = [];
      const finish = (answer: Exchanged<T>): void => {
        for (const cancel of cancels) cancel();
        signal?.removeEventListener('abort', stop);
        resolve(answer);
      };
      const stop = (): void => {
        sometimes('request aborted');
        finish('aborted');
      };
      signal?.addEventListener('abort', stop, { once: true });
      cancels.push(time.after(timeoutMs, () => finish('timeout')));
      const thereMs = latency();
      if (time.now() + thereMs < world.partitionedUntil) {
        sometimes('network unreachable');
        cancels.push(time.after(Math.min(thereMs, 3_000), () => finish('unreachable')));
        return;
      }
      const fate = drawFate();
      if (fate !== 'answered') sometimes(`network ${fate}`);
      if (fate === 'request lost') return;
      time.after(thereMs, () => {
        if (fate === 'reset before') return finish('unreachable');
        const answer = serve();
        if (fate === 'answer lost') return undefined;
        return void cancels.push(time.after(latency(), () => finish(fate === 'reset after' ? 'unreachable' : answer)));
      });
    });
  }

  function latency(): number {
    if (world.isClear) return 20;
    return chance.once(12) ? chance.between(500, 20_000) : chance.between(5, 400);
  }

  function drawFate(): 'answered' | 'request lost' | 'answer lost' | 'reset before' | 'reset after' {
    if (world.isClear || !chance.once(6)) return 'answered';
    return chance.oneOf(['request lost', 'answer lost', 'reset before', 'reset after']);
  }

  function toAnswer(raw: Exchanged<RawAnswer>, { server }: PushContext, batch: readonly BatchItem[]): PushAnswer {
    switch (raw) {
      case 'unreachable':
      case 'timeout':
      case 'aborted':
        return { kind: 'retryable', reason: raw, message: `${server}: ${raw}.` };
      default: {
        const sent = new Set(batch.map(({ eventId }) => eventId));
        const answer = classifyAnswer({ ...raw, address: server, now: process.time.now() });
        if (answer.kind !== 'ok') return answer;
        return { ...answer, verdicts: answer.verdicts.filter(({ eventId }) => sent.has(eventId)) };
      }
    }
  }

  async function push(batch: readonly BatchItem[], context: PushContext, timeoutMs: number): Promise<PushAnswer> {
    const raw = await process.call('push', () =>
      exchange(() => servers.handleBatch({ ...context, batch }), { timeoutMs, signal: context.signal }),
    );
    const answer = toAnswer(raw, context, batch);
    note(`p${process.pid} push of ${batch.length}: ${'reason' in answer ? answer.reason : answer.kind}`);
    return answer;
  }

  function openLink(context: RealtimeContext): RealtimeLink {
    let isOpen = true;
    let turn: Promise<unknown> = Promise.resolve();
    const lifeMs = world.isClear ? 3_600_000 : chance.between(200, 60_000);
    const ending = process.time.after(lifeMs, () => lose('closed'));
    function lose(reason: 'closed' | 'unauthorized'): void {
      if (!isOpen) return;
      isOpen = false;
      ending();
      sometimes('link lost');
      context.onLost({ reason, message: 'The link was lost.' });
    }
    const pushOver = async (batch: readonly BatchItem[], signal: AbortSignal | undefined): Promise<PushAnswer> => {
      const gone = { kind: 'retryable', reason: 'unreachable', message: 'The link is gone.' } as const;
      if (!isOpen) return gone;
      const answer = await push(batch, { ...context, ...(signal === undefined ? {} : { signal }) }, 5_000);
      if (answer.kind === 'ok') {
        sometimes('delivered over a link');
        return answer;
      }
      if (answer.kind === 'retryable' && answer.reason === 'aborted') return answer;
      lose(answer.kind === 'unauthorized' ? 'unauthorized' : 'closed');
      return answer.kind === 'unauthorized' ? answer : gone;
    };
    return {
      push(batch, signal) {
        const next = turn.then(() => pushOver(batch, signal));
        turn = next;
        return next;
      },
      close() {
        isOpen = false;
        ending();
      },
    };
  }

  async function connect(context: RealtimeContext): Promise<ConnectAnswer> {
    const { server, accessToken, signal } = context;
    const answer = await process.call('connect', () =>
      exchange(() => servers.accountOf(server, accessToken), { timeoutMs: REALTIME_OPEN_TIMEOUT_MS, signal }),
    );
    if (answer === null) return { kind: 'unauthorized' };
    if (typeof answer === 'string') return { kind: 'retryable', reason: answer, message: 'No link.' };
    if (!world.isClear && chance.once(8)) {
      sometimes('no realtime');
      return { kind: 'unsupported', message: 'No realtime here.' };
    }
    sometimes('link opened');
    return { kind: 'connected', link: openLink(context) };
  }

  const ask = async (serve: () => TokenEndpointAnswer): Promise<TokenEndpointAnswer> => {
    const answer = await process.call('token', () => exchange(serve, { timeoutMs: AUTH_TIMEOUT_MS }));
    return typeof answer === 'string' ? { kind: 'unreachable', message: answer } : answer;
  };

  return {
    transport: {
      push: (batch, context) => push(batch, context, BATCH_TIMEOUT_MS),
      async serverClock({ server, signal }) {
        const answer = await process.call('clock', () =>
          exchange(() => servers.clock(server), { timeoutMs: 5_000, signal }),
        );
        return typeof answer === 'number' ? answer : undefined;
      },
    },
    realtime: { connect },
    endpoint: {
      obtain: ({ server, username }) => ask(() => servers.obtain(server, username)),
      refresh: ({ server, refreshToken }) => ask(() => servers.refresh(server, refreshToken)),
    },
  };
}
