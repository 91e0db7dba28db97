/** What must not leave the machine or reach a log, taken out by the library's own rules. */
import { homedir } from 'node:os';

import { redactText, trimStack } from '@spec-kitty/events-sdk';

const MAX_MESSAGE_LENGTH = 500;

/** The text with home folders as `~`, secrets and mail addresses masked, and at most 500 characters. */
export function redact(text: string): string {
  return redactText(text, { home: homedir(), maxLength: MAX_MESSAGE_LENGTH });
}

/** A stack fit to send: frames relative to their package. */
export function packageFrames(stack: string): string {
  return trimStack(stack, { home: homedir() });
}
