/**
 * Turns whatever was thrown into what a person or a script is told: one message, one stable code, one exit code,
 * and what to do. Pure: nothing is printed here.
 */
import { redact } from './redact.ts';

/** What went wrong, ready to be shown. */
export interface Failure {
  /** `usage`: the words typed; `refused`: the work said no; `unexpected`: our fault; `interrupted`: Ctrl-C. */
  readonly kind: 'usage' | 'refused' | 'unexpected' | 'interrupted';
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly exitCode: number;
  /** `error_type` of the ErrorLogged event; null where none is due. */
  readonly errorType: 'validation' | 'runtime' | 'network' | 'auth' | null;
  /** Further members of the JSON answer, e.g. the cycles that were found. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** The package and agent it is about, where the error knows. */
  readonly wpId?: string;
  readonly agentId?: string;
}

/** The words typed cannot be understood. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly remedy: string | undefined;
  // Read by the framework: without it an error thrown in a hook is swallowed.
  readonly oclif = { exit: 2 };

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** A command refuses, and says what to do. Exit code 1 unless given. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly kind = 'validation';
  readonly remedy: string | undefined;
  readonly exitCode: number;

  constructor(code: string, message: string, options: { readonly remedy?: string; readonly exitCode?: number } = {}) {
    super(message);
    this.code = code;
    this.remedy = options.remedy;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** What to do about a broken promise of the library. Codes without an entry have it in their message. */
const SDK_REMEDIES: Readonly<Record<string, string>> = {
  STORAGE_BUSY: 'Another process holds the queue. Try again in a moment.',
  STORAGE_CORRUPT: '(cd "${SPEC_KITTY_HOME:-$HOME/.spec-kitty}" && mkdir -p damaged && mv queue.db* damaged/)',
  INVALID_SERVER_URL: 'Use an https:// address, or http:// for this machine (localhost).',
  AUTH_REFUSED: 'Check the user name and password, then run `spec-kitty auth login` again.',
  SERVER_UNREACHABLE: 'Check the network and the address (`spec-kitty sync server`), then try again.',
  SERVER_ANSWER_INVALID: 'Check that the address is a Spec Kitty server: `spec-kitty sync server`.',
};

/** Refusals outside any project: there is no team to tell, and an event would wait for a project for ever. */
const OUTSIDE_PROJECTS: ReadonlySet<string> = new Set(['not-a-repository', 'not-initialised']);

/** Describes any thrown value. `command` is whose help a usage error points to. */
export function describeFailure(error: unknown, command = 'spec-kitty'): Failure {
  if (isInterruption(error)) {
    return { kind: 'interrupted', code: 'interrupted', message: 'Interrupted.', exitCode: 130, errorType: null };
  }
  if (isUsage(error)) {
    const remedy = error instanceof UsageError ? error.remedy : undefined;
    return {
      kind: 'usage',
      code: 'usage',
      message: usageMessage(error.message),
      remedy: remedy ?? `See \`${command} --help\`.`,
      exitCode: 2,
      errorType: null,
    };
  }
  if (isRefusal(error)) return describeRefusal(error);
  if (isSdkError(error)) {
    const remedy = SDK_REMEDIES[error.code];
    return {
      kind: 'refused',
      code: error.code.toLowerCase().replaceAll('_', '-'),
      message: redact(error.message),
      ...(remedy === undefined ? {} : { remedy }),
      exitCode: 1,
      errorType: error.code === 'AUTH_REFUSED' ? 'auth' : error.code.startsWith('SERVER_') ? 'network' : 'runtime',
    };
  }
  return {
    kind: 'unexpected',
    code: 'unexpected',
    message: `Unexpected error: ${firstLine(redact(textOf(error)))}`,
    remedy: 'Run the command again with --debug to see where it happened.',
    exitCode: 1,
    errorType: 'runtime',
  };
}

/** An error that says itself what to do: ours, or the workflow's. */
interface RefusalShape extends Error {
  readonly code: string;
  readonly kind: string;
  readonly remedy?: string | undefined;
  readonly exitCode?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly wpId?: string | undefined;
  readonly agentId?: string | undefined;
}

function describeRefusal(error: RefusalShape): Failure {
  return {
    kind: error.kind === 'usage' ? 'usage' : 'refused',
    code: error.code,
    message: redact(error.message),
    ...(error.remedy === undefined ? {} : { remedy: redact(error.remedy) }),
    exitCode: error.exitCode ?? (error.kind === 'usage' ? 2 : 1),
    errorType:
      (error.kind === 'validation' || error.kind === 'runtime') && !OUTSIDE_PROJECTS.has(error.code)
        ? error.kind
        : null,
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(error.wpId === undefined ? {} : { wpId: error.wpId }),
    ...(error.agentId === undefined ? {} : { agentId: error.agentId }),
  };
}

function isRefusal(error: unknown): error is RefusalShape {
  return (
    error instanceof Error &&
    'kind' in error &&
    typeof error.kind === 'string' &&
    'code' in error &&
    typeof error.code === 'string'
  );
}

function isSdkError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && error.name === 'EventsSdkError' && 'code' in error && typeof error.code === 'string';
}

/** The framework marks every mistake of the command line with exit code 2. */
function isUsage(error: unknown): error is Error {
  if (!(error instanceof Error) || !('oclif' in error)) return false;
  const { oclif } = error;
  return typeof oclif === 'object' && oclif !== null && 'exit' in oclif && oclif.exit === 2;
}

/** A prompt left with Ctrl-C, or our own signal. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'InterruptedError');
}

/** The framework's message without its hint, and without values that were typed: they may be secrets or paths. */
function usageMessage(message: string): string {
  const own = message.replace(/\nSee more help with --help$/, '').trim();
  const extra = /^Unexpected arguments?: (?<words>.*)$/s.exec(own)?.groups?.['words'];
  if (extra !== undefined)
    return extra.includes(', ') ? 'There are arguments too many.' : 'There is one argument too many.';
  const unknown = /^Nonexistent flags?: (?<words>.*)$/s.exec(own)?.groups?.['words'];
  if (unknown !== undefined) {
    const flags = unknown.split(', ').map((flag) => shown(flag.replace(/=.*$/s, '')));
    return `Unknown ${flags.length === 1 ? 'flag' : 'flags'}: ${flags.join(', ')}`;
  }
  const parsing = /^Parsing (?<flag>--[\w-]+)\s+(?<why>.*?)(?: but received: .*)?$/s.exec(own)?.groups;
  if (parsing !== undefined) return `${parsing['flag'] ?? ''}: ${redact(parsing['why'] ?? '')}.`;
  const option = /^Expected (?<flag>--[\w-]+)=.* to be (?<options>one of: .*)$/s.exec(own)?.groups;
  if (option !== undefined) return `Expected ${option['flag'] ?? ''} to be ${option['options'] ?? ''}`;
  const missing = /^Missing \d+ required args?:\n(?<args>.*)$/s.exec(own)?.groups?.['args'];
  if (missing !== undefined) return `Missing: ${missing.split('\n').map(named).join(', ')}`;
  return redact(own);
}

/** `wp_id  The package, e.g. WP01.` as `WP_ID (the package, e.g. WP01)`, the way help spells it. */
function named(line: string): string {
  const [, name = line, what] = /^(\S+)\s+(\S.*?)\.?$/.exec(line.trim()) ?? [];
  return `${name.toUpperCase()}${what === undefined ? '' : ` (${what.charAt(0).toLowerCase()}${what.slice(1)})`}`;
}

/** A typed word if it is a plain one; paths, addresses and long texts are only mentioned. */
export function shown(word: string): string {
  return /^[\w.,:-]{1,40}$/.test(word) ? word : '(a value)';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
