/**
 * Faults by name, each striking once, for tests that try them all and for storms that draw them by a seed. None of them
 * claims to have an event of the client that the server does not have: who believes what it sees loses nothing.
 */
import { REALTIME_PATH } from '../../contract/realtime.ts';
import { BATCH_PATH } from '../../contract/batch.ts';
import type { ContractServer } from './contract-server.ts';
import { faults } from './faults.ts';
import type { LinkFault } from './link-faults.ts';
import type { FixedAnswer, ScriptedHandler } from './scripted-answers.ts';

/** One fault. */
export interface CatalogueFault {
  readonly name: string;
  /** What it strikes: the next batch, the next realtime link, or the links that are open. */
  readonly on: 'batch' | 'next link' | 'open links';
  /** True when only the client's own patience ends it. */
  readonly isEndless: boolean;
  /** Prepares it. `random` gives numbers in [0, 1): where in a batch it strikes; the same numbers, the same fault. */
  arm(server: ContractServer, random: () => number): void;
}

/** Every fault of the catalogue. Names are stable. */
export const faultCatalogue: readonly CatalogueFault[] = [
  ...[400, 401, 403, 404, 408, 409, 412, 413, 425, 500, 502, 503, 504].map((status) =>
    batch(`status-${status}`, () => ({ status, body: { error: 'fault' } })),
  ),
  batch('throttled-seconds', (random) => faults.retryAfter(429, Math.floor(random() * 3))),
  batch('throttled-until-past', () => faults.retryAfter(503, new Date(0))),
  batch('throttled-nonsense', () => faults.retryAfter(429, '-1 fortnight')),
  batch('cut-before', faults.cutBefore),
  batch('cut-unanswered', faults.cutUnanswered),
  batch('cut-inside', faults.cutInside),
  batch('cut-after', faults.cutAfter),
  batch('truncated-json', faults.truncatedJson),
  batch('truncated-gzip', faults.truncatedGzip),
  batch('not-gzip', faults.notGzip),
  batch('no-results', faults.noResults),
  batch('wrong-results', faults.wrongResults),
  batch('foreign-ids', faults.foreignIds),
  batch('extra-ids', faults.extraIds),
  batch('partial-results', () => faults.partialResults()),
  batch('redirect', () => faults.redirect()),
  batch('portal', faults.portal),
  batch('hang', () => (request) => void request.resume(), true),
  batch('slow', () => faults.slow(), true),
  {
    name: 'revoked-tokens',
    on: 'batch',
    isEndless: false,
    arm(server) {
      server.revokeTokens('access');
    },
  },
  ...[401, 403, 404, 429, 500, 503].map((status): CatalogueFault => ({
    name: `link-status-${status}`,
    on: 'next link',
    isEndless: false,
    arm(server) {
      server.respondNext({ status }, { path: REALTIME_PATH });
    },
  })),
  link('link-no-snapshot', () => ({ kind: 'no-snapshot' }), true),
  link('link-silent', () => ({ kind: 'silent' }), true),
  link('link-half-open', (random) => ({ kind: 'half-open', afterEvents: Math.floor(random() * 4) }), true),
  link('link-ack-lost', (random) => ({ kind: 'ack-lost', atEvent: eventNumber(random) }), true),
  link('link-ack-twice', () => ({ kind: 'ack-twice' })),
  link('link-ack-foreign', () => ({ kind: 'ack-foreign' }), true),
  link('link-cut-stored', (random) => ({ kind: 'close', atEvent: eventNumber(random), isStored: true })),
  link('link-cut-unstored', (random) => ({ kind: 'close', atEvent: eventNumber(random), isStored: false })),
  link('link-cut-at-once', () => ({ kind: 'close', atEvent: 0, isStored: false })),
  link('link-signed-out', (random) => ({ kind: 'close', atEvent: eventNumber(random), isStored: true, code: 4401 })),
  link('link-restart', (random) => ({ kind: 'close', atEvent: eventNumber(random), isStored: true, code: 1012 })),
  link('link-babble', () => ({ kind: 'babble', text: 'not a frame' })),
  {
    name: 'links-cut',
    on: 'open links',
    isEndless: false,
    arm(server) {
      server.endLinks();
    },
  },
  {
    name: 'links-frozen',
    on: 'open links',
    isEndless: true,
    arm(server) {
      server.freezeLinks();
    },
  },
];

function batch(
  name: string,
  make: (random: () => number) => FixedAnswer | ScriptedHandler,
  isEndless = false,
): CatalogueFault {
  return {
    name,
    on: 'batch',
    isEndless,
    arm(server, random) {
      server.respondNext(make(random), { path: BATCH_PATH });
    },
  };
}

function link(name: string, make: (random: () => number) => LinkFault, isEndless = false): CatalogueFault {
  return {
    name,
    on: 'next link',
    isEndless,
    arm(server, random) {
      server.breakNextLink(make(random));
    },
  };
}

/** One of the first three events. */
function eventNumber(random: () => number): number {
  return 1 + Math.floor(random() * 3);
}
