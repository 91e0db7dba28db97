/** What must not leave the machine or reach a log, taken out by the library's own rules. */
import { homedir } from 'node:os';

import { redactText, trimStack } from '@spec-kitty/events-sdk';

const MAX_MESSAGE_LENGTH = 500;

/** A message for the person at this terminal: home folders as `~`, secrets masked, at most 500 characters. */
export function redact(text: string): string {
  return redactText(text, { home: homedir(), maxLength: MAX_MESSAGE_LENGTH, keepsMail: true });
}

/** A text that leaves the machine: as {@link redact}, and without mail addresses. */
export function redactForTeam(text: string): string {
  return redactText(text, { home: homedir(), maxLength: MAX_MESSAGE_LENGTH });
}

/** A stack fit to send: frames relative to their package. */
export function packageFrames(stack: string): string {
  return trimStack(stack, { home: homedir() });
}
