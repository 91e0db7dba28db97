/** The program: reads the command line, serves or adds a user, and answers with an exit code (0, 1 failed, 2 usage). */
import type { ReadStream } from 'node:tty';

import { isEventsSdkError } from '@spec-kitty/events-sdk';

import { parseCommand, USAGE, type Command } from './arguments.ts';
import { askPassword, readPasswordFromPipe } from './password.ts';
import { createTeamServer } from './team-server.ts';

/** The part of `process` this program uses. */
export interface Host {
  readonly pid: number;
  readonly stdin: AsyncIterable<Uint8Array> & Pick<ReadStream, 'isTTY'>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

const MIN_PASSWORD_LENGTH = 8;

/** Runs until the work is done or a signal ends it. */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const command = parseCommand(argv);
  try {
    switch (command.kind) {
      case 'help':
        host.stdout.write(USAGE);
        return 0;
      case 'usage-error':
        host.stderr.write(`${command.message}\nSee spec-kitty-team-server --help.\n`);
        return 2;
      case 'user-add':
        return await addUser(command, host);
      case 'serve':
        return await serve(command, host);
      default:
        return command satisfies never;
    }
  } catch (error) {
    if (!isEventsSdkError(error)) throw error;
    host.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function serve(command: Extract<Command, { kind: 'serve' }>, host: Host): Promise<number> {
  const server = await createTeamServer(command);
  try {
    const stopped = new Promise<void>((resolve) => {
      host.once('SIGINT', resolve);
      host.once('SIGTERM', resolve);
    });
    const url = await server.listen(command.port);
    if (!isLoopback(command.host)) {
      host.stderr.write(
        `Warning: listening on ${command.host} without TLS. Names, passwords and tokens travel in the clear; put a TLS proxy in front or use 127.0.0.1.\n`,
      );
    }
    host.stdout.write(
      command.json ? `${JSON.stringify({ url, pid: host.pid })}\n` : welcome(url, command, server.accounts.count()),
    );
    await stopped;
  } finally {
    await server.close();
  }
  if (!command.json) host.stdout.write('Stopped.\n');
  return 0;
}

function welcome(url: string, { data }: { readonly data: string }, users: number): string {
  const noUsers = `\nNobody can sign in yet. Add a user in another terminal:\n  spec-kitty-team-server user add NAME --team TEAM --data ${data}\n`;
  return `Team server is ready.

  Board    ${url}/
  Sign in  spec-kitty auth login --server ${url}
  Data     ${data} (${users} ${users === 1 ? 'user' : 'users'})
${users === 0 ? noUsers : ''}
Stop with Ctrl-C.
`;
}

async function addUser(command: Extract<Command, { kind: 'user-add' }>, host: Host): Promise<number> {
  const { username, team, data } = command;
  if (!command.passwordStdin && !host.stdin.isTTY) {
    host.stderr.write('There is no terminal to ask for a password on: pass it with --password-stdin.\n');
    return 2;
  }
  // isTTY says that standard input is the terminal's stream, which has raw mode.
  const password = command.passwordStdin
    ? await readPasswordFromPipe(host.stdin)
    : await askPassword(host.stdin as ReadStream, host.stderr);
  if (password === undefined) {
    host.stderr.write('No user added.\n');
    return 130;
  }
  if (password.length < MIN_PASSWORD_LENGTH) {
    host.stderr.write(`The password is too short: at least ${MIN_PASSWORD_LENGTH} characters.\n`);
    return 1;
  }
  const server = await createTeamServer({ data, host: '127.0.0.1' });
  try {
    await server.accounts.addUser({ username, password, team });
  } finally {
    await server.close();
  }
  host.stdout.write(`Added ${username} to team ${team}.\n`);
  return 0;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
