/** A YAML file of settings that can say where in it something is wrong. */
import * as v from 'valibot';
import { isMap, isPair, isScalar, LineCounter, type Document } from 'yaml';

import { WorkflowError } from '../../errors.ts';
import { readText } from '../../files/text-files.ts';
import { parseYamlDocument, readYamlValues } from '../../files/yaml-values.ts';

/** Keys and indexes from the top of the file. */
export type SettingPath = readonly (string | number)[];

/** One settings file. */
export interface ConfigSource {
  /** How messages call it, e.g. `.kittify/config.yaml`. */
  readonly name: string;
  /** Its content; undefined when there is no such file or it is empty. */
  readonly content: unknown;
  /** The refusal for what stands at `path`; `why` follows the key in a sentence: "must be …, not …". */
  refusal(path: SettingPath, why: string): WorkflowError;
  /** `part`, checked; the refusal names line, key and what is allowed. `path` is where the part stands. */
  check<const S extends v.GenericSchema>(schema: S, path: SettingPath): v.InferOutput<S> | undefined;
}

/** Reads a file. Rejects by throwing `config-invalid` when it is no YAML map. */
export function readConfigSource(path: string, name: string): ConfigSource {
  const text = readText(path, name)?.replace(/^\uFEFF/, '') ?? '';
  const lines = new LineCounter();
  // Aliases that multiply are cut short by the library (maxAliasCount); its answer to that is an error like any other.
  const document = parseYamlDocument(text, { lineCounter: lines, schema: 'core' });
  const refuse = (line: number, words: string): WorkflowError =>
    new WorkflowError('config-invalid', `${name}, line ${line}: ${words}.`, { details: { file: name, line } });

  const problem = document.errors[0];
  if (problem !== undefined)
    throw refuse(problem.linePos?.[0].line ?? 1, problem.message.split(' at line ')[0]?.trim() ?? 'it is not YAML');
  if (document.contents !== null && !isMap(document.contents)) throw refuse(1, 'it is not a list of keys');
  const values = readYamlValues(document, text);
  if (values.kind === 'broken') throw refuse(values.line, values.why);
  // null for an empty file
  const content = values.value ?? undefined;

  const refusal = (at: SettingPath, why: string): WorkflowError => {
    const line = lines.linePos(startOf(document, at)).line;
    return new WorkflowError('config-invalid', `${name}, line ${line}: ${keyText(at)} ${why}.`, {
      details: { file: name, line, key: keyText(at) },
    });
  };
  return {
    name,
    content,
    refusal,
    check(schema, at) {
      const part = at.reduce<unknown>(valueAt, content);
      // An empty key (`agents:`) says as little as none.
      if (part === undefined || part === null) return undefined;
      const result = v.safeParse(schema, part, { abortEarly: true });
      if (result.success) return result.output;
      const [issue] = result.issues;
      const steps = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
      throw refusal(
        [...at, ...steps],
        issue.expected === 'never' ? issue.message : `${issue.message}, not ${shown(issue.input)}`,
      );
    },
  };
}

/** The message of a key nobody knows. */
export function unknownKey(allowed: readonly string[]): string {
  return `is not a key that is known here; there are ${allowed.join(', ')}`;
}

function valueAt(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key]; // an object that has this key
}

/** Offset of the innermost thing that is there: the key itself where the file has it, else what it would stand in. */
function startOf(document: Document, path: SettingPath): number {
  let node: unknown = document.contents;
  let start = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) return start;
      start = offsetOf(pair.key) ?? start;
      node = pair.value;
    } else if (typeof step === 'number' && typeof node === 'object' && node !== null && 'items' in node) {
      node = Array.isArray(node.items) ? node.items[step] : undefined;
      start = offsetOf(node) ?? start;
    } else return start;
  }
  return start;
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [offset]: unknown[] = node.range;
  return typeof offset === 'number' ? offset : undefined;
}

function keyText(path: SettingPath): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');
}

function shown(input: unknown): string {
  if (input === null || input === undefined) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a group of keys';
  const text =
    typeof input === 'string'
      ? `"${input}"`
      : typeof input === 'number' || typeof input === 'boolean'
        ? String(input)
        : typeof input;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
