/**
 * Reads who a project is from `.kittify/config.yaml` (FR-028c, CONTRACT §5). Only reads: an emission must never
 * change the working tree. The plain form `init` writes is read without loading a YAML parser.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { PlainMap, UNREAD } from '../identity/plain-yaml.ts';
import { readPlainYaml } from '../identity/plain-yaml.ts';
import type { DeliveryMode, ProjectIdentity, ProjectSettings } from '../identity/project-identity.ts';
import { canonicalUuid, DELIVERY_MODES } from '../identity/project-identity.ts';
import { isRepoSlug, parseRemote, slugFromName } from '../identity/remote-url.ts';
import type { Env } from './home.ts';
import { errorCodeOf } from './disk.ts';
import { currentHostname, currentUsername, deriveNodeId } from './node-id.ts';

/** What the file says. `missing`: no file, or no identity in it yet. `broken`: it must be repaired by a person. */
export type ProjectRead =
  | { readonly kind: 'identity'; readonly identity: ProjectIdentity; readonly settings: ProjectSettings }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken'; readonly message: string };

const SHOWN_AS = '.kittify/config.yaml';

/** What a YAML parser reads without holding a command up; a device or a pipe, to which a clone's link may lead, has no size. */
const MAX_FILE_BYTES = 128 * 1024;

/** Reads the project at `root`. Never throws, never writes. */
export async function readProjectIdentity(root: string): Promise<ProjectRead> {
  let text: string;
  try {
    const path = join(root, '.kittify', 'config.yaml');
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) return broken(null, 'is no file');
    if (found.size > MAX_FILE_BYTES) return broken(null, 'is larger than 128 KiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'broken', message: `${SHOWN_AS} cannot be read (${code}). Check its permissions.` };
  }
  const slug = slugFromName(basename(root));
  return readPlainProject(text, slug) ?? (await readYamlProject(text, slug));
}

/** The fast way: an answer without the parser, or null when the text needs it (also for every complaint). */
export function readPlainProject(text: string, defaultSlug: string): ProjectRead | null {
  const plain = readPlainYaml(text);
  if (plain === null) return null;
  const project = plain['project'];
  const sync = plain['sync'] ?? {};
  if (!isScalarMap(project) || !isScalarMap(sync)) return null;
  const read = interpret(project, sync, defaultSlug, () => null);
  return read.kind === 'broken' ? null : read;
}

/** The thorough way. Exported so that tests can hold both ways against each other. */
export async function readYamlProject(text: string, defaultSlug: string): Promise<ProjectRead> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  // The failsafe schema keeps every scalar as text: a node id of digits only stays what was written.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) return broken(lines.linePos(error.pos[0]).line, 'is not valid YAML');
  if (document.contents === null) return { kind: 'missing' };
  if (!isMap(document.contents)) return broken(null, 'is not a mapping');

  const lineOf = (section: string, key: string): number | null => {
    const node = document.getIn([section, key], true) ?? document.get(section, true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
    return Array.isArray(range) ? lines.linePos(Number(range[0])).line : null;
  };
  const sections: Record<string, Record<string, string | null>> = { project: {}, sync: {} };
  for (const section of ['project', 'sync']) {
    const node = document.get(section, true);
    if (
      node === undefined ||
      node === null ||
      (isScalar(node) && isEmpty(typeof node.value === 'string' ? node.value : ''))
    )
      continue;
    if (!isMap(node)) return broken(lineOf(section, ''), `"${section}" is not a mapping`);
    const values: Record<string, string | null> = Object.create(null) as Record<string, string | null>;
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const value: unknown = document.getIn([section, key]);
      if (typeof value === 'string' || value === null || value === undefined) values[key] = value ?? null;
      else if (KNOWN_KEYS.has(`${section}.${key}`))
        return broken(lineOf(section, key), `"${section}.${key}" is not a plain value`);
    }
    sections[section] = values;
  }
  return interpret(sections['project'] ?? {}, sections['sync'] ?? {}, defaultSlug, lineOf);
}

/** A new identity for `init` to write; `remoteUrl` is the origin's address, if there is one. */
export function deriveNewIdentity(root: string, remoteUrl: string | null, env: Env = process.env): ProjectIdentity {
  const named = remoteUrl === null ? null : parseRemote(remoteUrl);
  return {
    uuid: globalThis.crypto.randomUUID(),
    slug: named?.projectSlug ?? slugFromName(basename(root)),
    nodeId: deriveNodeId({ hostname: currentHostname(), username: currentUsername(env) }),
  };
}

const KNOWN_KEYS = new Set([
  'project.uuid',
  'project.slug',
  'project.node_id',
  'project.repo_slug',
  'project.team_slug',
  'sync.enabled',
  'sync.auto_start',
  'sync.delivery',
]);

type Scalars = Readonly<Record<string, string | null>>;

function interpret(
  project: Scalars,
  sync: Scalars,
  defaultSlug: string,
  lineOf: (section: string, key: string) => number | null,
): ProjectRead {
  const written = textIn(project['uuid']);
  if (written === null) return { kind: 'missing' };
  const uuid = canonicalUuid(written);
  if (uuid === null) return broken(lineOf('project', 'uuid'), '"project.uuid" is not a UUID');

  const enabled = textIn(sync['enabled']);
  // A misspelt "false" must not send what was meant to stay.
  if (enabled !== null && !isYes(enabled) && !isNo(enabled))
    return broken(lineOf('sync', 'enabled'), '"sync.enabled" is neither true nor false');
  const delivery = textIn(sync['delivery']);
  if (delivery !== null && !isDelivery(delivery)) {
    return broken(lineOf('sync', 'delivery'), `"sync.delivery" is none of ${DELIVERY_MODES.join(', ')}`);
  }
  const repoSlug = textIn(project['repo_slug']);
  if (repoSlug !== null && !isRepoSlug(repoSlug))
    return broken(lineOf('project', 'repo_slug'), '"project.repo_slug" is not of the form owner/name');
  const teamSlug = textIn(project['team_slug']);
  return {
    kind: 'identity',
    identity: {
      uuid,
      slug: textIn(project['slug']) ?? defaultSlug,
      nodeId: textIn(project['node_id']),
      ...(repoSlug === null ? {} : { repoSlug }),
    },
    settings: {
      syncEnabled: enabled === null || isYes(enabled),
      autoStart: !isNo(textIn(sync['auto_start']) ?? ''),
      ...(teamSlug === null ? {} : { teamSlug }),
      ...(delivery === null ? {} : { delivery }),
    },
  };
}

function broken(line: number | null, what: string): ProjectRead {
  const place = line === null ? SHOWN_AS : `${SHOWN_AS}, line ${line}`;
  return {
    kind: 'broken',
    message: `${place}: ${what}. Correct it, or take it back from git; until then this project's events wait on this machine.`,
  };
}

function textIn(value: string | null | undefined): string | null {
  const text = value?.trim() ?? '';
  return isEmpty(text) ? null : text;
}

function isEmpty(text: string): boolean {
  return text === '' || text === '~' || /^null$/i.test(text);
}

function isYes(text: string): boolean {
  return /^(?:true|yes|on|y)$/i.test(text);
}

function isNo(text: string): boolean {
  return /^(?:false|no|off|n)$/i.test(text);
}

function isDelivery(text: string): text is DeliveryMode {
  return (DELIVERY_MODES as readonly string[]).includes(text);
}

function isScalarMap(value: string | PlainMap | typeof UNREAD | null | undefined): value is Scalars {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((item) => item === null || typeof item === 'string')
  );
}
