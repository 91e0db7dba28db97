/**
 * Who a project is: the facts every event of it carries, and the settings that say whether it may be sent.
 * Pure: reading the file is node/project-identity.ts.
 */

/** A project's identity as recorded in `.kittify/config.yaml` (CONTRACT §5). */
export interface ProjectIdentity {
  /** Canonical lower-case UUID. */
  readonly uuid: string;
  readonly slug: string;
  /** Node that ran `init`; only recorded. Often another machine's, because the file is committed. Null if absent. */
  readonly nodeId: string | null;
  /** Chosen by the user; wins over what the git remote says. */
  readonly repoSlug?: string;
}

/** What a project says about sending its events (DESIGN §4.4, §4.9). */
export interface ProjectSettings {
  /** `sync.enabled`; false keeps every event of the project on this machine. Default true. */
  readonly syncEnabled: boolean;
  /** `sync.auto_start`; false stops automatic attempts, `sync now` still works. Default true. */
  readonly autoStart: boolean;
  /** `project.team_slug`: the team this project's events belong to. */
  readonly teamSlug?: string;
  /** `sync.delivery`: how this project's events leave after a command. */
  readonly delivery?: DeliveryMode;
}

/** How events leave after a command: by a background courier, within the command, or only on `sync now`. */
export type DeliveryMode = (typeof DELIVERY_MODES)[number];
/** All delivery modes, for checking and for messages. */
export const DELIVERY_MODES = ['courier', 'inline', 'off'] as const;

/** The canonical form of a UUID in any usual spelling (no hyphens, braces, `urn:uuid:`); null if it is none. */
export function canonicalUuid(text: string): string | null {
  const hex = text
    .toLowerCase()
    .replace(/^urn:uuid:/, '')
    .replace(/^\{(.*)\}$/, '$1')
    .replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex)) return null;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The `project:` block as `init` writes it: the plain form that is read without a YAML parser. */
export function projectIdentityBlock(identity: ProjectIdentity): string {
  const lines = [`  uuid: ${identity.uuid}`, `  slug: ${scalar(identity.slug)}`];
  // An id such as 12345678e901 would be a number to other YAML readers.
  if (identity.nodeId !== null) lines.push(`  node_id: ${scalar(identity.nodeId)}`);
  if (identity.repoSlug !== undefined) lines.push(`  repo_slug: ${scalar(identity.repoSlug)}`);
  return `project:\n${lines.join('\n')}\n`;
}

/** Plain where no YAML reader could take it for anything but text; else in double quotes, as JSON. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][\w./-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
