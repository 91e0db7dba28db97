/**
 * JSON Schema of an event map, for people and programs without valibot. Written for the schemas this library uses;
 * a schema it cannot express is an error, never a hole in the result. No dependency: a general converter would have
 * to be installed by everyone who imports the contract, and refuses `safeInteger`.
 */
import { EventsSdkError } from '../errors.ts';
import { wireEnvelopeSchema } from './envelope.ts';
import type { EventMap } from './event-map.ts';

/** A JSON Schema document or part of one (draft 2020-12). */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The fields of a valibot schema or action that are read here; valibot documents them as its object API. */
interface Described {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
  readonly pipe?: readonly Described[];
  readonly wrapped?: Described;
  readonly item?: Described;
  readonly value?: Described;
  readonly entries?: Readonly<Record<string, Described>>;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
}

/**
 * One schema that accepts exactly the map's events as they leave: a `oneOf` with a branch for each type.
 * Throws `INVALID_ARGUMENT` when a payload uses a valibot feature that is not covered.
 */
export function toJsonSchema(map: EventMap): JsonSchema {
  const envelope = convert(wireEnvelopeSchema, 'envelope');
  // The envelope is a strict object, so its JSON Schema has properties.
  const properties = envelope['properties'] as Readonly<Record<string, JsonSchema>>;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    oneOf: Object.entries(map).map(([type, definition]) => ({
      ...envelope,
      title: type,
      properties: {
        ...properties,
        event_type: { const: type },
        // A fixed kind is stated; where the payload decides, any kind passes.
        ...(typeof definition.aggregateType === 'string'
          ? { aggregate_type: { const: definition.aggregateType } }
          : {}),
        // A valibot schema is its own description.
        payload: convert(definition.payload as unknown as Described, type),
      },
    })),
  };
}

function convert(schema: Described, path: string): JsonSchema {
  const [base = schema, ...actions] = schema.pipe ?? [];
  return actions.reduce(
    (result, action) => narrow(result, keywordOf(action, base, path), action, path),
    baseOf(base, path),
  );
}

/** Both conditions at once; two that one keyword cannot hold together are refused, not overwritten. */
function narrow(result: JsonSchema, added: JsonSchema, action: Described, path: string): JsonSchema {
  const both: Record<string, unknown> = { ...result };
  for (const [keyword, wanted] of Object.entries(added)) {
    const present = both[keyword];
    if (present === undefined || keyword === 'type') both[keyword] = wanted;
    else if (keyword.startsWith('min')) both[keyword] = Math.max(Number(present), Number(wanted));
    else if (keyword.startsWith('max')) both[keyword] = Math.min(Number(present), Number(wanted));
    else throw notCovered(action, path);
  }
  return both;
}

function baseOf(schema: Described, path: string): JsonSchema {
  const { wrapped, item, value, entries, options } = schema;
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: schema.type };
    case 'null':
      return { type: 'null' };
    case 'unknown':
      return {};
    case 'literal':
      return { const: schema.literal };
    case 'picklist':
      return { enum: options };
    case 'nullable':
      if (wrapped !== undefined) return { anyOf: [convert(wrapped, path), { type: 'null' }] };
      break;
    case 'array':
      if (item !== undefined) return { type: 'array', items: convert(item, path) };
      break;
    case 'record':
      if (value !== undefined) return { type: 'object', additionalProperties: convert(value, path) };
      break;
    case 'union':
      // A union's options are schemas.
      if (options !== undefined) return { anyOf: options.map((option) => convert(option as Described, path)) };
      break;
    case 'object':
    case 'loose_object':
    case 'strict_object':
      if (entries !== undefined) return objectOf(entries, schema.type === 'strict_object', path);
      break;
    default:
  }
  throw notCovered(schema, path);
}

function objectOf(entries: Readonly<Record<string, Described>>, isStrict: boolean, path: string): JsonSchema {
  const isOptional = (entry: Described): boolean => entry.type === 'optional' || entry.type === 'exact_optional';
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(entries).map(([key, entry]) => [
        key,
        convert(isOptional(entry) && entry.wrapped !== undefined ? entry.wrapped : entry, `${path}.${key}`),
      ]),
    ),
    required: Object.keys(entries).filter((key) => !isOptional(entries[key] ?? { kind: '', type: '' })),
    ...(isStrict ? { additionalProperties: false } : {}),
  };
}

function keywordOf(action: Described, base: Described, path: string): JsonSchema {
  const { type, requirement } = action;
  switch (type) {
    case 'min_length':
      return { [base.type === 'array' ? 'minItems' : 'minLength']: requirement };
    case 'max_length':
      return { [base.type === 'array' ? 'maxItems' : 'maxLength']: requirement };
    case 'min_value':
      return { minimum: requirement };
    case 'max_value':
      return { maximum: requirement };
    case 'integer':
      return { type: 'integer' };
    case 'safe_integer':
      return { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
    case 'regex':
    case 'iso_timestamp':
    case 'uuid':
      // These three carry their pattern; JSON Schema has no flags, so a pattern with flags has no equal there.
      if (requirement instanceof RegExp) return patternOf(action, requirement, path);
      break;
    default:
  }
  throw notCovered(action, path);
}

function patternOf(action: Described, pattern: RegExp, path: string): JsonSchema {
  const flags = pattern.flags.replace('u', '');
  if (action.type === 'uuid' && flags === 'i') return { pattern: UUID_PATTERN };
  if (flags !== '') throw notCovered(action, path);
  return { pattern: pattern.source };
}

/** valibot's own uuid pattern, with both cases spelled out. */
const UUID_PATTERN = '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

function notCovered({ kind, type }: Described, path: string): EventsSdkError {
  return new EventsSdkError('INVALID_ARGUMENT', `${path}: the ${kind} "${type}" has no JSON Schema equal here.`);
}
