/** Bearer tokens on the way out and, if a server echoes one, on the way back. */

/** Shorter strings occur by chance; masking them would change a server's words at random. */
const SHORTEST_MASKED_CHARS = 8;

/** True when the token can stand in a header at all. */
export function isSendableToken(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}

/** The text without the token, in case the server repeats it. */
export function maskToken(text: string, token: string): string {
  return token.length < SHORTEST_MASKED_CHARS ? text : text.replaceAll(token, '[redacted]');
}
