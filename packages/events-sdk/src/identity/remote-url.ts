/**
 * What a git remote's address says about a project, and never its credentials: only path segments that
 * look like names get out. Whatever does not parse cleanly gives nothing, because half-understood
 * addresses are where tokens hide.
 */
import { redactText } from '../internal/redact.ts';

/** The parts of an address that may travel. */
export interface RemoteFacts {
  /** `owner/name`, with any groups between; null for local paths and addresses of one segment. */
  readonly repoSlug: string | null;
  /** {@link slugFromName} of the repository's name. */
  readonly projectSlug: string;
}

const NETWORK_SCHEMES = new Set(['http:', 'https:', 'ssh:', 'git:', 'git+ssh:', 'ssh+git:', 'git+https:', 'git+http:']);

/** `[user@]host:path`, no slash before the colon. A user part with a colon would be a password: not accepted. */
const SCP_FORM = /^(?:[^@/:\\\s]+@)?(?:\[[0-9a-fA-F:.]+\]|[^@/:\\\s[\]]{2,}):(?!:)(?!\/\/)(.+)$/;

const MAX_LENGTH = 2_048;

/** Reads an address as git accepts it: URL, scp form or local path. Null when no safe name can be read from it. */
export function parseRemote(url: string): RemoteFacts | null {
  const text = url.trim();
  if (text === '' || text.length > MAX_LENGTH) return null;
  const place = placeOf(text);
  if (place === null) return null;

  const segments = nameSegments(place.path);
  // On this machine only the last name is looked at; on a network every one goes into the slug.
  const looked = place.isLocal ? segments.slice(-1) : segments;
  const name = looked.at(-1);
  if (name === undefined || !looked.every((segment) => isSafeName(segment))) return null;
  return {
    repoSlug: !place.isLocal && looked.length >= 2 ? looked.join('/') : null,
    projectSlug: slugFromName(name),
  };
}

/** CONTRACT §5.3: lower case, `_` and blanks become `-`; nothing else is changed. */
export function slugFromName(name: string): string {
  return name.toLowerCase().replace(/[_ ]/g, '-');
}

/** A slug a person wrote (`repo_slug` override): at least two segments, none blank, none that looks like a secret. */
export function isRepoSlug(text: string): boolean {
  const segments = text.split('/');
  return segments.length >= 2 && segments.every((segment) => isSafeName(segment));
}

interface Place {
  readonly isLocal: boolean;
  readonly path: string;
}

function placeOf(text: string): Place | null {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return urlPlace(text);
  if (/^[a-z]:[\\/]/i.test(text)) return { isLocal: true, path: text.slice(2).replaceAll('\\', '/') };
  const scpPath = SCP_FORM.exec(text)?.[1];
  if (scpPath !== undefined) return { isLocal: false, path: scpPath };
  // A colon before the first slash is an address of some kind we do not know.
  if (/^[^/\\]*:/.test(text)) return null;
  return { isLocal: true, path: text.replaceAll('\\', '/') };
}

function urlPlace(text: string): Place | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const path = decodePath(url.pathname);
  if (path === null) return null;
  if (url.protocol === 'file:') return { isLocal: true, path };
  return NETWORK_SCHEMES.has(url.protocol) && url.hostname !== '' ? { isLocal: false, path } : null;
}

function decodePath(path: string): string | null {
  // An encoded slash would look like two segments after decoding.
  if (/%2f/i.test(path)) return null;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function nameSegments(path: string): readonly string[] {
  return path
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/')
    .filter((segment) => segment !== '');
}

/** Letters, digits and `. _ ~ + -` and inner blanks: no `@`, no `:`, nothing that looks like a token. */
function isSafeName(segment: string): boolean {
  if (!/^[\p{L}\p{N}._~+-](?:[\p{L}\p{N}\p{M}._~+ -]*[\p{L}\p{N}\p{M}._~+-])?$/u.test(segment)) return false;
  return segment !== '.' && segment !== '..' && redactText(segment) === segment;
}
