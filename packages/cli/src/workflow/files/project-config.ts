/**
 * `.kittify/config.yaml` as `init` writes it. What the user has there already, comments included, stays; only
 * what is missing is added. Pure.
 */
import { isMap, isNode, isScalar, stringify } from 'yaml';

import { WorkflowError } from '../errors.ts';
import type { ProjectIdentity } from '../ports.ts';
import { parseYamlDocument, readYamlValues } from './yaml-values.ts';

/** Agents that can be configured. */
export const KNOWN_AGENTS = [
  'copilot',
  'claude',
  'gemini',
  'cursor',
  'qwen',
  'opencode',
  'codex',
  'windsurf',
  'kilocode',
  'auggie',
  'roo',
  'q',
] as const;

/** True when the identity is complete: nothing has to be derived. */
export function hasIdentity(source: string): boolean {
  const project = parse(source).get('project');
  return isMap(project) && ['uuid', 'slug', 'node_id'].every((key) => typeof project.get(key) === 'string');
}

/** The config with everything `init` promises. Equal to `source` when nothing was missing. `agents` undefined: leave as is. */
export function completeConfig(
  source: string,
  identity: ProjectIdentity | undefined,
  agents: readonly string[] | undefined,
): string {
  const document = parse(source);
  for (const key of ['vcs', 'agents', 'project']) refuseOther(document, source, key);
  const wanted = {
    vcs: { type: 'git' },
    agents: { available: [...(agents ?? [])] },
    ...(identity === undefined
      ? {}
      : { project: { uuid: identity.uuid, slug: identity.slug, node_id: identity.nodeId } }),
  };
  const missing = Object.entries(wanted).filter(([key]) => !document.has(key));
  const isNested =
    (agents !== undefined && document.has('agents') && !sameList(document.getIn(['agents', 'available']), agents)) ||
    (identity !== undefined && document.has('project'));
  let text = source;
  if (isNested) {
    if (agents !== undefined && document.has('agents'))
      document.setIn(['agents', 'available'], document.createNode([...agents], { flow: true }));
    for (const [key, value] of Object.entries(wanted.project ?? {})) {
      if (document.has('project') && (document.getIn(['project', key]) ?? undefined) === undefined)
        document.setIn(['project', key], value);
    }
    text = document.toString({ lineWidth: 0 });
  }
  // Whole missing blocks are appended as text: nothing of the user's is even re-formatted.
  if (missing.length === 0) return text;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  const completed = text + gap + missing.map(([key, value]) => block(key, value)).join('');
  if (holds(completed, wanted)) return completed;
  // Keys that are indented, an open block: then the library writes the whole file.
  for (const [key, value] of missing) document.set(key, document.createNode(value));
  return document.toString({ lineWidth: 0 });
}

function holds(text: string, wanted: object): boolean {
  const document = parseYamlDocument(text.replace(/^\uFEFF/, ''));
  return document.errors.length === 0 && Object.keys(wanted).every((key) => document.has(key));
}

/** What stands below a key of ours has to be keys again; nothing at all is as good as the key not being there. */
function refuseOther(document: ReturnType<typeof parseYamlDocument>, source: string, key: string): void {
  const node = document.get(key, true);
  if (!document.has(key) || isMap(node)) return;
  if (isScalar(node) && node.value === null) {
    document.set(key, document.createNode({}));
    return;
  }
  const range = isNode(node) ? node.range : undefined;
  const line = source.slice(0, range?.[0] ?? 0).split('\n').length;
  throw new WorkflowError(
    'config-invalid',
    `.kittify/config.yaml, line ${line}: ${key} is not a list of keys. It was not changed.`,
  );
}

function block(key: string, value: object): string {
  return stringify({ [key]: value }, { lineWidth: 0 });
}

function sameList(node: unknown, wanted: readonly string[]): boolean {
  const list: unknown =
    node !== null && typeof node === 'object' && 'toJSON' in node && typeof node.toJSON === 'function'
      ? node.toJSON()
      : undefined;
  return JSON.stringify(list) === JSON.stringify(wanted);
}

function parse(source: string): ReturnType<typeof parseYamlDocument> {
  const text = source.replace(/^\uFEFF/, '');
  const document = parseYamlDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined || (document.contents !== null && !isMap(document.contents))) {
    const line = problem?.linePos?.[0].line ?? 1;
    throw new WorkflowError(
      'config-invalid',
      `.kittify/config.yaml, line ${line}: ${problem?.message.split(' at line ')[0] ?? 'it is not a list of keys'}. It was not changed.`,
    );
  }
  const values = readYamlValues(document, text);
  if (values.kind === 'broken')
    throw new WorkflowError(
      'config-invalid',
      `.kittify/config.yaml, line ${values.line}: ${values.why}. It was not changed.`,
    );
  return document;
}
