/** How a simulated server answers wrongly: each fault does what it does to the events, and says what it says of them. */
import { answer, type Envelope, type RawAnswer } from './server.ts';
import type { Chance } from './world.ts';

export const SERVER_FAULTS = [
  '500',
  '503 after storing',
  '503 with Retry-After',
  '429 with Retry-After',
  '413 without limits',
  '400 with details',
  '400 without details',
  '401',
  '403',
  'web page',
  'no verdicts',
  'torn answer',
  'verdict pending',
  'verdict rejected',
  'verdict unknown',
  'verdict missing',
  'verdict on others',
  'verdicts contradict',
  'clock refused',
] as const;

export type ServerFault = (typeof SERVER_FAULTS)[number];

export function drawFault(chance: Chance): ServerFault | null {
  return chance.once(2) ? chance.oneOf(SERVER_FAULTS) : null;
}

export interface Spoiling {
  readonly chance: Chance;
  readonly events: readonly Envelope[];
  /** The server's own clock. */
  readonly clock: number;
  /** Stores an event, or does not; answers its verdict. */
  readonly accept: (event: Envelope) => object;
}

export function spoil(fault: ServerFault | null, { chance, events, clock, accept }: Spoiling): RawAnswer {
  const later = { 'retry-after': String(chance.between(1, 60)) };
  const results = (say: (event: Envelope) => readonly object[]): RawAnswer =>
    answer(200, { results: events.flatMap((event) => (chance.once(2) ? say(event) : [accept(event)])) });
  const whole = (): object => ({ results: events.map(accept) });
  switch (fault) {
    case null:
      return answer(200, whole());
    case '500':
      return answer(500, { error: 'trouble' });
    case '503 after storing':
      whole();
      return answer(503, { error: 'trouble' });
    case '503 with Retry-After':
      return answer(503, {}, later);
    case '429 with Retry-After':
      return answer(429, {}, later);
    case '413 without limits':
      return answer(413, { error: 'too large' });
    case '400 with details': {
      const details = events.slice(0, 1).map(({ event_id }) => ({ event_id, error: 'not well' }));
      return answer(400, { error: 'refused', details });
    }
    case '400 without details':
      return answer(400, { error: 'refused' });
    case '401':
      return answer(401, {});
    case '403':
      return answer(403, { detail: 'not you' });
    case 'web page':
      return answer(200, '<!doctype html><html></html>', { 'content-type': 'text/html' });
    case 'no verdicts':
      whole();
      return answer(200, { results: [] });
    case 'torn answer':
      return answer(200, JSON.stringify(whole()).slice(0, -5));
    case 'verdict pending':
      return results(({ event_id }) => [{ event_id, status: 'pending' }]);
    case 'verdict rejected':
      return results(({ event_id }) => [{ event_id, status: 'rejected', error_message: 'try later' }]);
    case 'verdict unknown':
      return results(({ event_id }) => [{ event_id, status: 'perhaps' }]);
    case 'verdict missing':
      return results(() => []);
    case 'verdict on others':
      return results((event) => [accept(event), { event_id: '01JKZZZZZZZZZZZZZZZZZZZZZZ', status: 'success' }]);
    case 'verdicts contradict':
      return results(({ event_id }) => [
        { event_id, status: 'success' },
        { event_id, status: 'rejected' },
      ]);
    case 'clock refused':
      return results(({ event_id }) => [
        { event_id, status: 'rejected', error_message: 'lamport_clock: behind', server_clock: clock + 50 },
      ]);
    default:
      return fault satisfies never;
  }
}
