/** Why a run of an agent did not succeed, from what can be known without asking it. Pure. */
import type { AgentSpec, FailureClass } from './agent-spec.ts';
import type { AgentOutput } from './read-output.ts';

/** How a run ended. */
export interface Ending {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  /** True when the program could not be started. */
  readonly isMissing: boolean;
  readonly output: Pick<AgentOutput, 'errors' | 'reportsFailure'>;
  readonly stderr: string;
}

/** As `error_type` of an ErrorLogged event. */
export type FailureErrorType = 'auth' | 'network' | 'runtime';

/** Exit code of `timeout`, and of our own timeouts. */
const TIMEOUT_EXIT_CODE = 124;
/** What a shell answers for a program it cannot start or find. */
const SHELL_CANNOT_START = [126, 127];

const WORDS: Readonly<Partial<Record<FailureClass, readonly (string | RegExp)[]>>> = {
  auth: ['authentication', 'api key', 'unauthorized', 'not logged in', /\b401\b/],
  rate: ['rate limit', 'too many requests', 'overloaded', /\b429\b/],
  network: ['network', 'connection', 'timed out', 'econnrefused', 'enotfound', 'etimedout'],
};

/** Only the end of stderr is looked at: what comes before it is talk, or the prompt again. */
const STDERR_LENGTH = 4_000;

/** The class of a failure; null when the run succeeded. */
export function classifyFailure(
  spec: Pick<AgentSpec, 'exitCodes' | 'failureWords' | 'failsOnReportedError'>,
  ending: Ending,
): FailureClass | null {
  const { exitCode, signal, output } = ending;
  if (ending.isMissing) return 'missing';
  if (ending.aborted) return 'killed';
  if (ending.timedOut) return 'timeout';
  if (signal !== null) return 'killed';
  if (exitCode === 0) return spec.failsOnReportedError && output.reportsFailure ? byWords(spec, ending) : null;
  const known = exitCode === null ? undefined : spec.exitCodes[exitCode];
  if (known !== undefined) return known;
  if (exitCode === TIMEOUT_EXIT_CODE) return 'timeout';
  if (exitCode !== null && SHELL_CANNOT_START.includes(exitCode)) return 'missing';
  return byWords(spec, ending);
}

/** How the team is told. */
export function failureErrorType(failure: FailureClass): FailureErrorType {
  switch (failure) {
    case 'auth':
      return 'auth';
    case 'network':
    case 'rate':
      return 'network';
    case 'timeout':
    case 'missing':
    case 'killed':
    case 'general':
      return 'runtime';
    default:
      return failure satisfies never;
  }
}

/** The failure in the agent's own words, at most 500 characters: errors it reports, else the end of stderr. Not redacted. */
export function failureText(ending: Pick<Ending, 'output' | 'stderr'>): string {
  const said = ending.output.errors.join('; ').trim();
  return said === '' ? ending.stderr.trim().slice(-500) : said.slice(0, 500);
}

function byWords({ failureWords }: Pick<AgentSpec, 'failureWords'>, { output, stderr }: Ending): FailureClass {
  const text = `${output.errors.join('\n').slice(0, STDERR_LENGTH)}\n${stderr.slice(-STDERR_LENGTH)}`.toLowerCase();
  const isSaid = (word: string | RegExp): boolean => (typeof word === 'string' ? text.includes(word) : word.test(text));
  for (const table of [failureWords, WORDS]) {
    for (const failure of ['auth', 'rate', 'network', 'timeout', 'missing', 'killed', 'general'] as const) {
      if (table[failure]?.some(isSaid) === true) return failure;
    }
  }
  return 'general';
}
