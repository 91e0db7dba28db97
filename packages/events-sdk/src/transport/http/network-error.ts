/**
 * Why a server could not be reached, in words made from error codes alone. An error's own message is never passed
 * on: a refused header, for one, is quoted in it, and that header holds the token.
 */

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'there is no way to its host',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** The reason with its code, for example `the connection was refused (ECONNREFUSED)`. */
export function describeNetworkError(error: unknown): string {
  const code = findCode(error, 5);
  if (code === undefined) return 'the network failed';
  if (code.startsWith('HPE_')) return `it does not speak HTTP (${code})`;
  return `${WORDS[code] ?? 'the network failed'} (${code})`;
}

/** The code closest to the wire: runtimes wrap it in causes, and in an AggregateError per address tried. */
function findCode(error: unknown, depth: number): string | undefined {
  if (depth === 0 || typeof error !== 'object' || error === null) return undefined;
  // Fields read off any error object; each is checked before use.
  const { cause, errors, code, name } = error as { cause?: unknown; errors?: unknown; code?: unknown; name?: unknown };
  const inner = findCode(cause, depth - 1) ?? (Array.isArray(errors) ? findCode(errors[0], depth - 1) : undefined);
  // Some parser errors carry no code, only this name.
  if (inner === undefined && code === undefined && name === 'HTTPParserError') return 'HPE_INVALID';
  return inner ?? (typeof code === 'string' && /^[A-Z][A-Z\d_]{2,60}$/.test(code) ? code : undefined);
}
