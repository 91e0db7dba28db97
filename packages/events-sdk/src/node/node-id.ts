/**
 * This machine's and user's stable id (FR-007, CONTRACT §4): the first 12 hex digits of a SHA-256 over
 * `hostname:username`. Another home of the same user adds its own random id, so that two homes never
 * share a (clock, node) pair.
 */
import { createRequire } from 'node:module';
import { hostname, userInfo } from 'node:os';

import type { Env } from './home.ts';

/** What the id is made of. */
export interface NodeIdParts {
  readonly hostname: string;
  readonly username: string;
  /** Only for a home other than the default one: that home's random id. */
  readonly homeId?: string;
}

/** 12 lower-case hex digits. The text hashed is `hostname:username`, or `hostname:username:homeId`, in UTF-8. */
export function deriveNodeId(parts: NodeIdParts): string {
  const named = `${parts.hostname}:${parts.username}`;
  const text = parts.homeId === undefined ? named : `${named}:${parts.homeId}`;
  // Loaded here because an id is derived once per home, while the module costs every start 5 ms.
  const { createHash } = createRequire(import.meta.url)('node:crypto') as typeof import('node:crypto');
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 12);
}

/** First non-empty of LOGNAME, USER, LNAME, USERNAME; else the account's name; else its number. */
export function currentUsername(env: Env = process.env): string {
  for (const name of ['LOGNAME', 'USER', 'LNAME', 'USERNAME']) {
    const value = env[name];
    if (value !== undefined && value !== '') return value;
  }
  try {
    return userInfo().username;
  } catch {
    // Containers often run under a number that has no account.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** The host's name as the system gives it: no lower-casing, no domain added or cut. */
export function currentHostname(): string {
  return hostname();
}
