/**
 * What an access token says of itself. Read for display and routing only and never verified: the server that
 * issued the token decides, so a forged claim here gains nobody anything.
 */

const TEAM_CLAIMS = ['team_slug', 'team'] as const;
const USER_CLAIMS = ['username', 'email'] as const;
const MAX_CLAIM_CHARS = 200;

/** The team named in the token (FR-028a), or null: also for a token that is no JWT. */
export function teamFromToken(accessToken: string): string | null {
  return firstText(accessToken, TEAM_CLAIMS);
}

/** The user named in the token, or null. */
export function usernameFromToken(accessToken: string): string | null {
  return firstText(accessToken, USER_CLAIMS);
}

function firstText(accessToken: string, names: readonly string[]): string | null {
  const claims = readClaims(accessToken);
  for (const name of names) {
    const text = cleanName(claims[name]);
    if (text !== null) return text;
  }
  return null;
}

/** A non-empty, printable, bounded name, or null: what a server may call a team or a user. */
export function cleanName(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value.trim();
  return text === '' || text.length > MAX_CLAIM_CHARS || /\p{C}/u.test(text) ? null : text;
}

function readClaims(token: string): Readonly<Record<string, unknown>> {
  const payload = token.split('.')[1];
  if (payload === undefined) return {};
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    // Narrowed to an object; its values stay unknown and are checked one by one.
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
