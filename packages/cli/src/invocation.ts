/**
 * One run of the program: where its output goes, which switches were given, and the client it may open. Hooks and
 * commands are started by the framework, which passes nothing of ours along; they meet here.
 */
import { warnOnce, type Logger } from '@spec-kitty/events-sdk';

import type { NodeClient, OpenClient } from './client.ts';
import type { Failure } from './failure.ts';
import { withRemedy } from './remedies.ts';
import { renderFailure } from './render/failure.ts';
import { isColourful, type Paint, painter } from './render/paint.ts';
import { harmless, visible } from './render/words.ts';

/** Somewhere text can be written, and whether a person sits behind it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal, where there is one. */
  readonly columns?: number;
}

/** Which package and agent a command is about; goes into ErrorLogged when it fails. */
export interface Subject {
  readonly wpId?: string;
  readonly agentId?: string;
}

/** What an invocation is made of. */
export interface InvocationOptions {
  readonly json: boolean;
  readonly debug: boolean;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: () => string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly openClient: OpenClient;
}

/** One run of the program. */
export interface Invocation {
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly stderr: Output;
  readonly paint: Paint;
  /** Said on stderr once per code and message; detail only when asked for. */
  readonly logger: Logger;
  exitCode: number;
  /** How long the command may take to stop by itself after Ctrl-C, in milliseconds. */
  graceMs: number;
  /** True for a command that answers line by line: each of its documents takes one line. */
  isStream: boolean;
  /** Whether the command that runs tells the team about its work. Set by the prerun hook. */
  emits: boolean;
  subject: Subject;
  cwd(): string;
  /** The result: the one document under `--json`, else the text. A second result is ignored. */
  succeed(data: Readonly<Record<string, unknown>>, text: string): void;
  /** One line of a stream, before its result. */
  line(data: Readonly<Record<string, unknown>>, text: string): void;
  /** The failure, on stdout as JSON or on stderr as text, once. Sets the exit code. */
  fail(failure: Failure, error: unknown): void;
  /** A line on stderr. */
  say(line: string): void;
  /** The client, opened at the first call. */
  client(): Promise<NodeClient>;
  /** The client if anyone opened it. */
  openedClient(): Promise<NodeClient> | null;
}

/** How long a command may take to stop by itself after Ctrl-C, unless it says otherwise. */
const INTERRUPT_GRACE_MS = 2_000;

let current: Invocation | null = null;

/** Starts the run everything in this process belongs to. */
export function beginInvocation(options: InvocationOptions): Invocation {
  current = createInvocation(options);
  return current;
}

/** The run this process belongs to. */
export function currentInvocation(): Invocation {
  if (current === null) throw new Error('No command is running.');
  return current;
}

function createInvocation(options: InvocationOptions): Invocation {
  const { json, stdout, stderr } = options;
  const isPainted = (output: Output): boolean => isColourful(options.env, output.isTTY === true);
  const paint = painter(isPainted(stderr));
  let answered = false;
  const held = new Set<string>();
  let opening: Promise<NodeClient> | null = null;

  const say = (line: string): void => {
    stderr.write(`${harmless(line, isPainted(stderr))}\n`);
  };
  const logger = warnOnce({
    warn: (code, message) => {
      // It says how many each time; that events wait is news only once.
      if (code.startsWith('event-held-') && held.has(code)) return;
      held.add(code);
      say(`${paint('yellow', 'Warning:')} ${withRemedy(code, message)}`);
    },
    debug: (code, message) => {
      if (options.debug) say(`${paint('dim', code)} ${message}`);
    },
  });
  /** True for the first answer: everything after it would make stdout two documents. */
  const isFirstAnswer = (): boolean => {
    if (answered) return false;
    answered = true;
    return true;
  };

  return {
    json,
    env: options.env,
    version: options.version,
    signal: options.signal,
    stderr,
    paint,
    logger,
    exitCode: 0,
    graceMs: INTERRUPT_GRACE_MS,
    isStream: false,
    emits: false,
    subject: {},
    cwd: options.cwd,
    say,
    succeed(data, text) {
      if (!isFirstAnswer()) return;
      if (json) stdout.write(document(this, data));
      else if (text !== '') stdout.write(harmless(text.endsWith('\n') ? text : `${text}\n`, isPainted(stdout)));
    },
    line(data, text) {
      stdout.write(json ? document(this, data) : `${harmless(text, isPainted(stdout))}\n`);
    },
    fail(failure, error) {
      if (!isFirstAnswer()) return;
      this.exitCode = failure.exitCode;
      if (json) {
        const { message, code, remedy, details } = failure;
        const answer = { error: message, code, ...(remedy === undefined ? {} : { remedy }) };
        // Twice: first in order, and never overwritten by a detail of the same name.
        stdout.write(document(this, { ...answer, ...details, ...answer }));
      } else {
        say(renderFailure(failure, paint));
      }
      if (options.debug && error instanceof Error && failure.kind === 'unexpected') say(error.stack ?? String(error));
    },
    client() {
      opening ??= options.openClient({ cwd: options.cwd(), env: options.env, logger, version: options.version });
      return opening;
    },
    openedClient: () => opening,
  };
}

/** JSON leaves some characters as they are that a terminal obeys; spelled out, they mean the same to a program. */
function document({ isStream }: Pick<Invocation, 'isStream'>, data: Readonly<Record<string, unknown>>): string {
  return `${visible(JSON.stringify(data, null, isStream ? 0 : 2))}\n`;
}
