/** Two independent judges of an event: ajv over the schema written from the contract, and our own valibot. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import * as v from 'valibot';

import { specKittyEvents, wireEnvelopeSchema } from '../../src/contract/index.ts';
import type { EventMap } from '../../src/contract/index.ts';

/** A JSON object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Compiles a schema with formats on, so that `date-time` and `uuid` are really checked. */
export function compile(schema: object): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
  // ajv-formats is CommonJS: its function is `default` of the default export under Node's ESM.
  const addFormats = addFormatsModule as unknown as { default?: (ajv: Ajv2020) => void };
  (addFormats.default ?? (addFormatsModule as unknown as (ajv: Ajv2020) => void))(ajv);
  return ajv.compile(schema);
}

const handWritten = compile(
  JSON.parse(readFileSync(join(import.meta.dirname, 'envelope.schema.json'), 'utf8')) as object,
);

/** True when the schema written from the contract accepts the event. */
export function isValidForAjv(event: JsonObject): boolean {
  return handWritten(event);
}

const definitions: EventMap = specKittyEvents;

/** True when our own schemas accept the event: envelope, known type, payload, and the kind the map says. */
export function isValidForUs(event: JsonObject): boolean {
  const type = event['event_type'];
  const definition = typeof type === 'string' && Object.hasOwn(definitions, type) ? definitions[type] : undefined;
  if (definition === undefined || !v.is(wireEnvelopeSchema, event)) return false;
  if (!v.is(definition.payload, event.payload)) return false;
  const { aggregateType } = definition;
  const kinds = typeof aggregateType === 'string' ? [aggregateType] : ['WorkPackage', 'Feature'];
  return kinds.includes(event.aggregate_type);
}
