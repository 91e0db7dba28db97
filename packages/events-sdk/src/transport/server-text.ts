/**
 * Words of a server, made safe to show and to log: bounded, on one line, without control characters (a terminal
 * would obey them), and without anything that looks like a credential.
 */
import { redactText } from '../internal/redact.ts';

/** The most characters of a server's own words that are ever kept. */
export const MAX_SERVER_TEXT_CHARS = 300;

/** The text, made safe; an empty string when nothing is left of it. */
export function cleanServerText(text: string, maxChars: number = MAX_SERVER_TEXT_CHARS): string {
  // Cut generously first, so that a huge text costs nothing; exactly only after masking, so that no token is halved.
  const bounded = text.slice(0, maxChars * 8).toWellFormed();
  return redactText(bounded.replace(/[\p{C}\p{Z}\s]+/gu, ' ').trim(), { maxLength: maxChars });
}
