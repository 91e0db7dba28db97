/** What was found in a home, as text and as a document, with a command for each finding that is not good. Pure. */
import type { CheckName, Finding } from '@spec-kitty/events-sdk/node';

import { rows } from './words.ts';

const LABELS: Readonly<Record<CheckName, string>> = {
  home: 'Home',
  space: 'Free space',
  config: 'Settings',
  'queue-file': 'Queue file',
  'queue-size': 'Queue',
  'beside-queue': 'Beside queue',
  damaged: 'Put aside',
  refused: 'Refused',
  dropped: 'Dropped',
  waiting: 'Waiting',
  held: 'Held',
  clock: 'Clock',
  account: 'Account',
  'sign-in': 'Sign-in',
  server: 'Server',
  project: 'Project',
  'project-file': 'Project file',
  delivery: 'Delivery',
};

/** What helps where something was found; each is executed by a test. */
const HELP: Readonly<Record<CheckName, string>> = {
  home: 'chmod 700 "${SPEC_KITTY_HOME:-$HOME/.spec-kitty}"',
  space: 'df -h "${SPEC_KITTY_HOME:-$HOME/.spec-kitty}"',
  config: 'cat "${SPEC_KITTY_HOME:-$HOME/.spec-kitty}/config.toml"',
  'queue-file': 'spec-kitty sync store',
  'queue-size': 'spec-kitty sync now',
  'beside-queue': 'spec-kitty sync now',
  damaged: 'spec-kitty sync store',
  refused: 'spec-kitty sync rejected list',
  dropped: 'spec-kitty sync status',
  waiting: 'spec-kitty sync explain',
  held: 'spec-kitty sync explain',
  clock: 'spec-kitty sync now',
  account: 'spec-kitty auth login',
  'sign-in': 'spec-kitty auth login --force',
  server: 'spec-kitty sync server',
  project: 'spec-kitty init',
  'project-file': 'git diff -- :/.kittify/config.yaml',
  delivery: 'spec-kitty sync now',
};

const MARKS: Readonly<Record<Finding['state'], string>> = { good: 'ok', attention: 'look', bad: 'BAD' };

/** Every finding, then the issues, numbered, each with its command. */
export function renderDoctor(findings: readonly Finding[]): string {
  const width = Math.max(...Object.values(LABELS).map((label) => label.length));
  const lines = findings.map(
    ({ check, state, message }) => `${LABELS[check].padEnd(width)}  ${MARKS[state].padEnd(4)}  ${message}`,
  );
  const issues = findings.filter(({ state }) => state !== 'good');
  if (issues.length === 0) return [...lines, '', 'No issues found.'].join('\n');
  const numbered = issues.map(({ check, message }, index): readonly [string, string] => [
    `${index + 1}.`,
    `${message} ${HELP[check]}`,
  ]);
  return [...lines, '', rows(numbered)].join('\n');
}

/** The same as a document. */
export function doctorDocument(findings: readonly Finding[]): Record<string, unknown> {
  return {
    healthy: findings.every(({ state }) => state === 'good'),
    findings: findings.map(({ check, state, message }) => ({
      check,
      state,
      message,
      command: state === 'good' ? null : HELP[check],
    })),
  };
}

/** 1 when something keeps events from being recorded or delivered. */
export function doctorExitCode(findings: readonly Finding[]): 0 | 1 {
  return findings.some(({ state }) => state === 'bad') ? 1 : 0;
}
