/**
 * A link from its opening to its end. It counts as connected once the server has sent something (so that a refused
 * token is noticed before), and as dead when nothing arrives for long, however open it looks.
 */
import {
  MAX_REALTIME_FRAME_BYTES,
  REALTIME_OPEN_TIMEOUT_MS,
  REALTIME_SILENCE_MS,
  REALTIME_SNAPSHOT_TIMEOUT_MS,
} from '../../contract/limits.ts';
import { pongFrame, readServerFrame, REALTIME_PATH, type ServerFrame } from '../../contract/realtime.ts';
import type { Logger } from '../../internal/logger.ts';
import type { Time } from '../../internal/time.ts';
import type { PushAnswer } from '../port.ts';
import type { ConnectAnswer, RealtimeContext, RealtimeLink } from '../realtime-port.ts';
import { describeEnd } from './link-end.ts';
import { startPush, type RunningPush } from './running-push.ts';
import { openSocket, type Socket, type SocketEnd, type WebSocketImplementation } from './socket.ts';

/** Pongs to a server that asks without reading would pile up. */
const MAX_BUFFERED_FOR_PONG_BYTES = 256 * 1024;

/** Opens one link. Never rejects. */
export function openLink(options: {
  readonly implementation: WebSocketImplementation;
  readonly token: string;
  readonly context: RealtimeContext;
  readonly time: Time;
  readonly logger: Logger;
}): Promise<ConnectAnswer> {
  const { implementation, token, context, time, logger } = options;
  const { server, signal } = context;
  const { promise, resolve } = Promise.withResolvers<ConnectAnswer>();
  let phase: 'opening' | 'connected' | 'over' = 'opening';
  let hasSnapshot = false;
  let cancelTimer = (): void => {};
  let running: RunningPush | undefined;
  let lastAnswer: Promise<PushAnswer> | undefined;
  let afterwards: PushAnswer = { kind: 'retryable', reason: 'aborted', message: 'The realtime link was closed.' };

  function within(ms: number, action: () => void): void {
    cancelTimer();
    cancelTimer = time.after(ms, action);
  }
  function quit(): void {
    phase = 'over';
    cancelTimer();
    signal?.removeEventListener('abort', onAbort);
    socket?.end();
  }
  function isOver(): boolean {
    return phase === 'over';
  }
  function onAbort(): void {
    quit();
    resolve({ kind: 'retryable', reason: 'aborted', message: 'Connecting was stopped.' });
  }
  function onEnd(end: SocketEnd | { readonly kind: 'silent' }): void {
    const before = phase;
    if (before === 'over') return;
    quit();
    const { connect, push, loss } = describeEnd(end, {
      server,
      secrets: [token, context.accessToken],
      now: time.now(),
    });
    resolve(connect);
    afterwards = push;
    running?.end(push);
    if (before === 'connected') observe(() => context.onLost(loss));
  }
  function observe(tell: () => void): void {
    try {
      tell();
    } catch {
      logger.debug('realtime-observer-failed', 'An observer of the realtime link threw.');
    }
  }

  function connected(): void {
    phase = 'connected';
    signal?.removeEventListener('abort', onAbort);
    resolve({ kind: 'connected', link });
  }
  function onLife(): void {
    if (phase === 'connected') within(REALTIME_SILENCE_MS, () => onEnd({ kind: 'silent' }));
  }
  function onText(text: string): void {
    const frame = readServerFrame(text);
    if (frame.kind === 'unreadable') return onEnd({ kind: 'protocol' });
    if (phase === 'opening') {
      if (frame.kind !== 'snapshot') logger.debug('realtime-no-snapshot', `${server} began with another frame.`);
      connected();
    }
    onLife();
    take(frame);
  }
  function take(frame: Exclude<ServerFrame, { kind: 'unreadable' }>): void {
    switch (frame.kind) {
      case 'snapshot':
        if (!hasSnapshot) logger.debug('realtime-snapshot', `${server} shows ${frame.workPackages} work packages.`);
        hasSnapshot = true;
        return;
      case 'event':
        return observe(() => context.onEvent(frame.event));
      case 'ping':
        if (socket !== undefined && socket.bufferedAmount <= MAX_BUFFERED_FOR_PONG_BYTES)
          socket.send(pongFrame(frame.timestamp));
        return;
      case 'verdict':
        return running?.take(frame.verdict);
      case 'unknown':
        return;
      default:
        return frame satisfies never;
    }
  }

  const link: RealtimeLink = {
    async push(batch, pushSignal) {
      // In turn, so that events of two pushes do not mix.
      const mine = (lastAnswer ?? Promise.resolve()).then(() => {
        if (isOver() || socket === undefined) return afterwards;
        const signals = pushSignal === undefined ? {} : { signal: pushSignal };
        running = startPush({ batch, socket, time, server, ...signals });
        // Its first frame may have been the one that could not be sent.
        if (isOver()) running.end(afterwards);
        return running.answer;
      });
      lastAnswer = mine;
      return mine;
    },
    close() {
      if (phase === 'over') return;
      quit();
      running?.end(afterwards);
    },
  };

  let socket: Socket | undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  within(REALTIME_OPEN_TIMEOUT_MS, () => onEnd({ kind: 'silent' }));
  try {
    socket = openSocket({
      implementation,
      url: `${server.replace(/^http/, 'ws')}${REALTIME_PATH}`,
      token,
      maxFrameBytes: MAX_REALTIME_FRAME_BYTES,
      listener: {
        onOpen() {
          within(REALTIME_SNAPSHOT_TIMEOUT_MS, () => {
            logger.debug('realtime-no-snapshot', `${server} sent no snapshot.`);
            connected();
            onLife();
          });
        },
        onText,
        onSign: onLife,
        onEnd,
      },
    });
  } catch {
    // A class of the caller's own may refuse anything; its error may quote what it was given.
    onEnd({ kind: 'protocol' });
  }
  return promise;
}
