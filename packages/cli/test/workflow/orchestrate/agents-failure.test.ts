import { errorLoggedSchema } from '@spec-kitty/events-sdk/contract';
import * as v from 'valibot';
import { expect, test } from 'vitest';

import { FAILURE_CLASSES, SPEC_DEFAULTS, type AgentSpec } from '../../../src/workflow/orchestrate/agents/agent-spec.ts';
import {
  classifyFailure,
  failureErrorType,
  failureText,
  type Ending,
} from '../../../src/workflow/orchestrate/agents/failure-class.ts';
import { KNOWN_AGENT_SPECS } from '../../../src/workflow/orchestrate/agents/known-agents.ts';

const custom: AgentSpec = { ...SPEC_DEFAULTS, id: 'mine', bin: 'mine' };

function specOf(id: string): AgentSpec {
  return KNOWN_AGENT_SPECS.find((spec) => spec.id === id) ?? custom;
}

function ending(facts: Partial<Ending> = {}): Ending {
  return {
    exitCode: 1,
    signal: null,
    timedOut: false,
    aborted: false,
    isMissing: false,
    output: { errors: [], reportsFailure: false },
    stderr: '',
    ...facts,
  };
}

test.each([
  ['mine', { exitCode: 0 }, null],
  ['mine', { exitCode: 0, stderr: 'warning: network is slow' }, null],
  ['mine', { timedOut: true, signal: 'SIGKILL', exitCode: null }, 'timeout'],
  ['mine', { exitCode: 124 }, 'timeout'],
  ['mine', { aborted: true, signal: 'SIGTERM', exitCode: null }, 'killed'],
  ['mine', { signal: 'SIGSEGV', exitCode: null }, 'killed'],
  ['mine', { isMissing: true, exitCode: null }, 'missing'],
  ['mine', { exitCode: 127, stderr: 'sh: 1: claude: not found' }, 'missing'],
  ['mine', { stderr: 'HTTP 401' }, 'auth'],
  ['mine', { stderr: 'Error: Unauthorized' }, 'auth'],
  ['mine', { stderr: 'Too Many Requests' }, 'rate'],
  ['mine', { stderr: 'status 429' }, 'rate'],
  ['mine', { stderr: 'port 14290 is in use' }, 'general'],
  ['mine', { stderr: 'connect ECONNREFUSED' }, 'network'],
  ['mine', { stderr: 'request timed out' }, 'network'],
  ['mine', { stderr: 'a bug' }, 'general'],
  ['mine', {}, 'general'],
  ['claude', { stderr: 'Invalid API key · Please run /login' }, 'auth'],
  ['claude', { exitCode: 0, output: { errors: ['usage limit reached'], reportsFailure: true } }, 'rate'],
  ['codex', { stderr: 'rate_limit_exceeded' }, 'rate'],
  ['codex', { exitCode: 0, output: { errors: ['stream closed'], reportsFailure: true } }, 'general'],
  ['gemini', { exitCode: 41 }, 'auth'],
  ['gemini', { exitCode: 42 }, 'rate'],
  ['gemini', { exitCode: 52, stderr: 'network' }, 'general'],
  ['gemini', { exitCode: 130 }, 'killed'],
  ['gemini', { exitCode: 0, output: { errors: ['told in passing'], reportsFailure: true } }, null],
  ['opencode', { exitCode: 0, output: { errors: ['APIError: no'], reportsFailure: true } }, 'general'],
  ['cursor', { exitCode: 124 }, 'timeout'],
] as const)('%s that ends with %o has failed as %s', (id, facts, failure) => {
  expect(classifyFailure(specOf(id), ending(facts))).toBe(failure);
});

test('what the agent writes about while it works does not decide why it failed, only the end of stderr does', () => {
  const talk = 'I now test the 401 unauthorized answer\n'.repeat(500);

  expect(classifyFailure(custom, ending({ stderr: `${talk}${'working\n'.repeat(1_000)}boom` }))).toBe('general');
});

test('a project decides what the exit codes and words of its own agent mean', () => {
  const spec: AgentSpec = { ...custom, exitCodes: { 7: 'rate' }, failureWords: { network: ['the line is dead'] } };

  expect(classifyFailure(spec, ending({ exitCode: 7 }))).toBe('rate');
  expect(classifyFailure(spec, ending({ stderr: 'Alas, THE LINE IS DEAD' }))).toBe('network');
});

test('every class of failure is told to the team as a type the contract knows', () => {
  for (const failure of FAILURE_CLASSES) {
    const payload = {
      error_type: failureErrorType(failure),
      error_message: 'it failed',
      wp_id: 'WP01',
      agent_id: 'claude',
    };
    expect(v.safeParse(errorLoggedSchema, payload).success, failure).toBe(true);
  }
  expect(failureErrorType('auth')).toBe('auth');
  expect(failureErrorType('network')).toBe('network');
});

test('the words of a failure are the errors it reports, else the end of stderr, in 500 characters', () => {
  const output = { errors: ['quota', 'again'], reportsFailure: true };

  expect(failureText({ output, stderr: 'noise' })).toBe('quota; again');
  expect(
    failureText({ output: { errors: [], reportsFailure: false }, stderr: `${'x'.repeat(900)} last words\n` }),
  ).toMatch(/^x+ last words$/);
  expect(failureText({ output: { errors: ['e'.repeat(900)], reportsFailure: true }, stderr: '' })).toHaveLength(500);
});
