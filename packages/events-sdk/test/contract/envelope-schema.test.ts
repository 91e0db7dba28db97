/**
 * Our valibot schemas and a JSON Schema written from the contract's text must agree on every event.
 * Deliberate differences, each with its own test: how a date-time may be spelled, and how large an integer may be.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { specKittyEvents, toJsonSchema } from '../../src/contract/index.ts';
import { anyContractEvent, damage, eventOf, payloads } from './arbitrary-events.ts';
import { compile, isValidForAjv, isValidForUs, type JsonObject } from './validators.ts';

const isValidForGenerated = compile(toJsonSchema(specKittyEvents));

const REQUIREMENT: Readonly<Record<string, string>> = {
  WPStatusChanged: 'FR-008',
  WPCreated: 'FR-009',
  WPAssigned: 'FR-010',
  FeatureCreated: 'FR-011',
  FeatureCompleted: 'FR-012',
  HistoryAdded: 'FR-013',
  ErrorLogged: 'FR-014',
  DependencyResolved: 'FR-015',
};

function withField(object: JsonObject, key: string, value: unknown): JsonObject {
  const { [key]: _removed, ...rest } = object;
  return value === undefined ? rest : { ...rest, [key]: value };
}

const sampleOf = (type: string): JsonObject => fc.sample(eventOf(type), { numRuns: 1, seed: 7 })[0] ?? {};
// Every payload of `arbitrary-events.ts` is an object.
const payloadOf = (event: JsonObject): JsonObject => event['payload'] as JsonObject;

test('every event of the contract is valid for ajv, for us and for the generated schema (TECH-1, FR-002)', () => {
  fc.assert(
    fc.property(anyContractEvent, (event) => {
      expect(isValidForAjv(event)).toBe(true);
      expect(isValidForUs(event)).toBe(true);
      expect(isValidForGenerated(event)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('an event with one damaged envelope field is judged alike by ajv and by us (TECH-1, FR-002)', () => {
  fc.assert(
    fc.property(anyContractEvent, fc.nat({ max: 14 }), damage, (event, at, value) => {
      const damaged = withField(event, Object.keys(event)[at] ?? 'event_id', value);

      expect(isValidForUs(damaged)).toBe(isValidForAjv(damaged));
      // Where the payload decides the kind (ErrorLogged), the generated schema states none.
      const isKindOpen = event['event_type'] === 'ErrorLogged' && Object.keys(event)[at] === 'aggregate_type';
      if (!isKindOpen) expect(isValidForGenerated(damaged)).toBe(isValidForUs(damaged));
    }),
    { numRuns: 800 },
  );
});

for (const [type, payload] of Object.entries(payloads)) {
  test(`${type} with one damaged payload field is judged alike by ajv and by us (TECH-1, ${REQUIREMENT[type]})`, () => {
    fc.assert(
      fc.property(eventOf(type), fc.nat({ max: 9 }), damage, (event, at, value) => {
        const fields = Object.keys(payloadOf(event));
        const damaged = { ...event, payload: withField(payloadOf(event), fields[at % fields.length] ?? '', value) };

        expect(isValidForUs(damaged)).toBe(isValidForAjv(damaged));
        expect(isValidForGenerated(damaged)).toBe(isValidForUs(damaged));
      }),
      { numRuns: 200 },
    );
  });

  test(`${type} is refused when a field has the wrong type, and when an unknown field is added (${REQUIREMENT[type]})`, () => {
    const event = sampleOf(type);
    const whole =
      fc
        .sample(payload, { numRuns: 200, seed: 7 })
        .toSorted((a, b) => Object.keys(b).length - Object.keys(a).length)[0] ?? {};

    expect(isValidForUs({ ...event, payload: whole })).toBe(true);
    for (const field of Object.keys(whole)) {
      expect(isValidForUs({ ...event, payload: { ...whole, [field]: { not: 'this' } } }), field).toBe(false);
    }
    expect(isValidForUs({ ...event, payload: { ...whole, surplus: 1 } })).toBe(false);
    expect(isValidForAjv({ ...event, payload: { ...whole, surplus: 1 } })).toBe(false);
  });
}

test('an event without a team or a project must not leave, for ajv and for us (TECH-1, SEC-1)', () => {
  for (const key of ['team_slug', 'project_uuid']) {
    const event = { ...sampleOf('WPCreated'), [key]: null };

    expect(isValidForUs(event)).toBe(false);
    expect(isValidForAjv(event)).toBe(false);
  }
});

test('an envelope with a sixteenth key is refused by both (TECH-1)', () => {
  const event = { ...sampleOf('WPCreated'), surplus: 1 };

  expect(isValidForUs(event)).toBe(false);
  expect(isValidForAjv(event)).toBe(false);
});

test('we also read date-times that RFC 3339 spells differently, such as a space before the offset', () => {
  const event = { ...sampleOf('WPCreated'), timestamp: '2026-02-07T18:04:05.120 +00:00' };

  expect(isValidForUs(event)).toBe(true);
  expect(isValidForAjv(event)).toBe(false);
});

test('we refuse an integer JavaScript cannot hold exactly, which the contract text allows', () => {
  const event = { ...sampleOf('WPCreated'), lamport_clock: 2 ** 53 };

  expect(isValidForUs(event)).toBe(false);
  expect(isValidForAjv(event)).toBe(true);
});
