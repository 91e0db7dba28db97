/**
 * The credentials file as text (CONTRACT §8.1): the layout, key order and time format of the Python original, so
 * that both programs can share one sign-in. Pure; reading other people's TOML is left to a parser outside.
 */
import type { Credentials, TokenPair } from './credential-store.ts';
import { parseServerUrl } from './server-url.ts';
import { cleanName } from './token-claims.ts';

/** Tables of strings, as the file holds them. */
export type Tables = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The file's text. Without tokens the `[tokens]` table is left out; without a team its line is. */
export function formatCredentials({ tokens, username, teamSlug, server }: Credentials): string {
  const tables = [
    ...(tokens === null ? [] : [formatTokens(tokens)]),
    ['[user]', line('username', username), ...(teamSlug === null ? [] : [line('team_slug', teamSlug)])],
    ['[server]', line('url', server)],
  ];
  return `${tables.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function formatTokens(tokens: TokenPair): string[] {
  return [
    '[tokens]',
    line('access', tokens.access),
    line('refresh', tokens.refresh),
    line('access_expires_at', formatExpiry(tokens.accessExpiresAt)),
    line('refresh_expires_at', formatExpiry(tokens.refreshExpiresAt)),
  ];
}

function line(key: string, value: string): string {
  // JSON's escapes are a subset of TOML's; JSON leaves DEL raw, which TOML forbids.
  return `${key} = ${JSON.stringify(value.toWellFormed()).replaceAll('\u007f', '\\u007F')}`;
}

/** Naive UTC with microseconds, as Python's `isoformat` writes it. */
function formatExpiry(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000`;
}

/** The sign-in in the parsed file, or null when server or user are missing or the address may not be used. */
export function tablesToCredentials(tables: Tables): Credentials | null {
  const username = cleanName(tables['user']?.['username']);
  const server = readServer(tables['server']?.['url']);
  if (username === null || server === null) return null;
  return { server, username, teamSlug: cleanName(tables['user']?.['team_slug']), tokens: readTokens(tables['tokens']) };
}

function readServer(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  try {
    return parseServerUrl(value);
  } catch {
    return null;
  }
}

function readTokens(table: Readonly<Record<string, unknown>> | undefined): TokenPair | null {
  const access = readToken(table?.['access']);
  const refresh = readToken(table?.['refresh']);
  const accessExpiresAt = parseExpiry(table?.['access_expires_at']);
  const refreshExpiresAt = parseExpiry(table?.['refresh_expires_at']);
  if (access === null || refresh === null || accessExpiresAt === null || refreshExpiresAt === null) return null;
  return { access, refresh, accessExpiresAt, refreshExpiresAt };
}

function readToken(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : null;
}

/** Milliseconds of a time with `Z`, an offset, or neither (then UTC); null for anything else. */
export function parseExpiry(value: unknown): number | null {
  const text = value instanceof Date ? value.toISOString() : value;
  if (typeof text !== 'string') return null;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/i.exec(text.trim());
  if (match === null) return null;
  const [, date, clock, fraction = '', zone = 'Z'] = match;
  // Date.parse keeps three digits of a fraction and drops the rest.
  const ms = Date.parse(`${date}T${clock}${fraction}${zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(ms) ? null : ms;
}

/**
 * Reads a file made only of `[table]` and `key = "text"` lines, which is all we ever write; undefined for any other
 * TOML. It exists because every emission reads this file and loading a TOML parser costs it milliseconds.
 */
export function readPlainTables(text: string): Tables | undefined {
  const tables: Record<string, Record<string, string>> = {};
  let table: Record<string, string> | undefined;
  for (const row of text.split('\n')) {
    if (row === '') continue;
    const name = /^\[([a-z][a-z_]*)\]$/.exec(row)?.[1];
    if (name !== undefined) {
      if (Object.hasOwn(tables, name)) return undefined;
      table = tables[name] = {};
      continue;
    }
    const entry = /^([a-z][a-z_]*) = ("(?:[^"\\\p{Cc}]|\\(?:["\\bfnrt]|u[\da-fA-F]{4}))*")$/u.exec(row);
    const [, key, quoted] = entry ?? [];
    if (table === undefined || key === undefined || quoted === undefined || Object.hasOwn(table, key)) return undefined;
    if (/\\u[dD][89a-fA-F]/.test(quoted)) return undefined;
    table[key] = JSON.parse(quoted) as string; // The pattern admits nothing but one JSON string.
  }
  return tables;
}
