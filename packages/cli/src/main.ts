/**
 * Runs one command line from its words to its exit code. All output of failures goes through here or through the
 * base command, so that `--json` is one document on every path.
 */
import { fileURLToPath } from 'node:url';

import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';

import { readGlobalSwitches } from './argv.ts';
import { openNodeClient } from './client.ts';
import { closeInvocation } from './closing.ts';
import { describeFailure } from './failure.ts';
import { beginInvocation, type Invocation } from './invocation.ts';
import { readPackage } from './version.ts';

// What the framework looks up by name in this file: one file read instead of six at every start. The base class is
// here for the same reason, so that a command's own file is all that is left to load.
export { SpecKittyCommand } from './command.ts';
export { SpecKittyHelp } from './help.ts';
export { commandNotFound } from './hooks/command-not-found.ts';
export { closing } from './hooks/finally.ts';
export { init } from './hooks/init.ts';
export { prerun } from './hooks/prerun.ts';

/** Runs the program and ends the process. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const { words, json, debug } = readGlobalSwitches(argv);
  const pjson = readPackage();
  const interrupt = new AbortController();
  const invocation = beginInvocation({
    json,
    debug: debug || isOurDebug(process.env['DEBUG']),
    version: pjson.version,
    env: process.env,
    cwd: () => process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupt.signal,
    openClient: openNodeClient,
  });
  // Whoever read our messages is gone; the work goes on.
  process.stderr.on('error', () => {});
  process.once('uncaughtException', (error) => {
    invocation.fail(describeFailure(error), error);
    process.exit(invocation.exitCode);
  });

  // Without this the framework looks for TypeScript sources beside the built files when NODE_ENV says test.
  settings.enableAutoTranspile = false;
  const finished = runWords(invocation, words, pjson);
  const interrupted = onInterrupt(interrupt, finished, invocation);
  const exitCode = await Promise.race([finished, interrupted]);
  // A command that stopped by itself after Ctrl-C still was interrupted.
  process.exit(interrupt.signal.aborted ? await interrupted : exitCode);
}

async function runWords(invocation: Invocation, words: readonly string[], pjson: object): Promise<number> {
  try {
    const root = fileURLToPath(new URL('..', import.meta.url));
    await run([...words], { root, pjson: pjson as never, devPlugins: false, userPlugins: false });
  } catch (error) {
    // Answers only what the command itself has not answered: unknown commands, broken hooks, unreadable arguments.
    invocation.fail(describeFailure(error), error);
  }
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  return invocation.exitCode;
}

/** Ctrl-C or a termination: the command gets a moment to stop by itself, then the client is closed. A second one ends at once. */
function onInterrupt(interrupt: AbortController, finished: Promise<number>, invocation: Invocation): Promise<number> {
  return new Promise((resolve) => {
    const stop = (exitCode: number) => () => {
      if (interrupt.signal.aborted) process.exit(exitCode);
      interrupt.abort();
      const error = new Error('Interrupted.');
      error.name = 'InterruptedError';
      const giveUp = setTimeout(() => {
        void closeInvocation(invocation, undefined).then(answer);
      }, invocation.graceMs);
      const answer = (): void => {
        clearTimeout(giveUp);
        invocation.fail(describeFailure(error), error);
        void drained(process.stdout).then(() => {
          resolve(exitCode);
        });
      };
      void finished.then(answer);
    };
    process.on('SIGINT', stop(130));
    process.on('SIGTERM', stop(143));
  });
}

/** Resolves when everything written so far has left the process, also when the reader is gone. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
}

/** DEBUG=1, DEBUG=* or a list naming us. Other programs' values are not ours. */
function isOurDebug(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|true|\*)$|spec-kitty/.test(value);
}
