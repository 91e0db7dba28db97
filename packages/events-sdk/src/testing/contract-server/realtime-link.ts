/**
 * One realtime link, seen from the server: who is at the other end, the snapshot first, a ping now and then, and an
 * answer to every event. What an event comes to is decided elsewhere.
 */
import type { WebSocket } from 'ws';

import { REALTIME_AUTH_TIMEOUT_MS, REALTIME_PING_INTERVAL_MS } from '../../contract/limits.ts';
import { REALTIME_CLOSE } from '../../contract/realtime.ts';
import type { Time } from '../../internal/time.ts';
import type { Account } from './accounts.ts';
import type { BatchOutcome, EventResult } from './batch.ts';
import { conductAt, FOREIGN_EVENT_ID, type LinkFault } from './link-faults.ts';
import type { FrameRecord } from './realtime-controls.ts';

/** A link as the server holds it. */
export interface ServedLink {
  /** Undefined until the first frame has said who it is. */
  readonly account: Account | undefined;
  /** Sends an event of somebody else. */
  show(event: object): void;
  /** Neither reads nor writes from now on, and stays open: what a half-open connection looks like. */
  freeze(): void;
  /** Closes with a code, or cuts the connection without one. */
  end(code?: number): void;
}

/** A client that reads so slowly is cut off: it would fill this process. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Serves an accepted connection. */
export function serveLink(deps: {
  readonly socket: WebSocket;
  /** Undefined: the first frame must bring a token. */
  readonly account: Account | undefined;
  readonly fault: LinkFault | undefined;
  readonly time: Time;
  readonly authenticate: (token: string) => Promise<Account | undefined>;
  readonly snapshotFor: (account: Account) => readonly object[];
  readonly take: (event: unknown, account: Account) => BatchOutcome;
  readonly record: (frame: Omit<FrameRecord, 'link'>) => void;
  readonly onClose: () => void;
}): ServedLink {
  const { socket, fault, time, record } = deps;
  let account = deps.account;
  let events = 0;
  let isFrozen = false;
  let isOver = false;
  let isAnswered = true;
  let cancelTimer = (): void => {};

  function end(code?: number): void {
    // Frames behind the one that ended the link still arrive, and count no more.
    isOver = true;
    cancelTimer();
    if (code === undefined) socket.terminate();
    else socket.close(code);
  }
  function say(type: string, fields: object, eventId: string | null = null): void {
    if (isFrozen || fault?.kind === 'silent' || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return end();
    record({ direction: 'out', type, eventId });
    socket.send(JSON.stringify({ type, ...fields }));
  }
  function ping(): void {
    if (!isAnswered) return end();
    isAnswered = fault?.kind === 'silent';
    say('ping', { timestamp: new Date(time.now()).toISOString() });
    cancelTimer = time.after(REALTIME_PING_INTERVAL_MS, ping);
  }
  function freeze(): void {
    isFrozen = true;
    cancelTimer();
    socket.pause();
  }
  function goOn(afterwards: 'go on' | 'freeze' | 'end'): void {
    if (afterwards === 'freeze') freeze();
    else if (afterwards === 'end') end(fault?.kind === 'close' ? fault.code : undefined);
  }

  function welcome(known: Account): void {
    account = known;
    cancelTimer();
    const atOnce = conductAt(fault, 0).afterwards;
    if (fault?.kind === 'babble') socket.send(fault.text);
    else if (fault?.kind !== 'no-snapshot' && atOnce !== 'end')
      say('snapshot', { work_packages: deps.snapshotFor(known) });
    cancelTimer = time.after(REALTIME_PING_INTERVAL_MS, ping);
    goOn(atOnce);
  }

  function takeEvent(event: unknown, known: Account): void {
    events += 1;
    const conduct = conductAt(fault, events);
    if (conduct.isTaken) {
      const outcome = deps.take(event, known);
      // Nothing is said about an event that may not even be looked at.
      if (outcome.kind === 'forbidden') return end(REALTIME_CLOSE.forbidden);
      const result = outcome.kind === 'ok' ? outcome.results[0] : refusedAlone(event, outcome.error);
      if (result !== undefined) {
        const shown = conduct.hasForeignId ? { ...result, event_id: FOREIGN_EVENT_ID } : result;
        for (let times = 0; times < conduct.answers; times += 1) answer(shown);
      }
    }
    goOn(conduct.afterwards);
  }
  function answer(result: EventResult): void {
    const isRefused = result.status === 'rejected';
    const status = result.status === 'success' ? 'accepted' : result.status;
    say(isRefused ? 'error' : 'ack', { ...result, status }, result.event_id);
  }

  async function takeFrame(data: unknown, isBinary: boolean): Promise<void> {
    if (isFrozen || isOver) return;
    const frame = isBinary ? undefined : readFrame(String(data));
    if (frame === undefined) {
      record({ direction: 'in', type: 'unreadable', eventId: null });
      return end(1007);
    }
    const { type, ...fields } = frame;
    const eventId = fields['event_id'];
    record({
      direction: 'in',
      type: typeof type === 'string' ? type.slice(0, 40) : 'unknown',
      eventId: typeof eventId === 'string' ? eventId.slice(0, 40) : null,
    });
    isAnswered = true;
    if (account === undefined) {
      const { token } = fields;
      const known = type === 'auth' && typeof token === 'string' ? await deps.authenticate(token) : undefined;
      // The link may have ended while the token was checked.
      if (isOver) return;
      if (known === undefined) end(REALTIME_CLOSE.unauthorized);
      else welcome(known);
    } else if (type === 'event') takeEvent(fields, account);
  }

  // One after the other: who sends the token and then events at once is not turned away.
  let turn = Promise.resolve();
  socket.on('message', (data, isBinary) => {
    turn = turn
      .then(() => takeFrame(data, isBinary))
      .catch(() => {
        end(1011);
      });
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isOver = true;
    cancelTimer();
    deps.onClose();
  });

  if (account === undefined) {
    cancelTimer = time.after(REALTIME_AUTH_TIMEOUT_MS, () => {
      end(REALTIME_CLOSE.unauthorized);
    });
  } else welcome(account);

  return {
    get account() {
      return account;
    },
    show(event) {
      say('event', event, 'event_id' in event ? String(event.event_id) : null);
    },
    freeze,
    end,
  };
}

/** A batch of one that is refused as a whole is a verdict on that one. */
function refusedAlone(event: unknown, error: string): EventResult {
  const id = typeof event === 'object' && event !== null && 'event_id' in event ? event.event_id : null;
  return { event_id: typeof id === 'string' ? id : null, status: 'rejected', error };
}

function readFrame(text: string): Record<string, unknown> | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    // Narrowed to an object; its values stay unknown and are checked one by one.
    return typeof frame === 'object' && frame !== null && !Array.isArray(frame)
      ? (frame as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
