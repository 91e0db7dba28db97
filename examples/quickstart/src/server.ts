/** The team server as a separate process, started and stopped like the real one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { run, type World } from './command-line.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Adds a person to the server's data file. */
export async function addUser(
  world: World,
  bin: string,
  data: string,
  user: { name: string; team: string; password: string },
): Promise<void> {
  const args = [bin, 'user', 'add', user.name, '--team', user.team, '--data', data, '--password-stdin'];
  const { code, stderr } = await run(world, process.execPath, args, `${user.password}\n`);
  if (code !== 0) throw new Error(`The team server did not take the user: ${stderr}`);
}

/** Starts the server; port 0 takes a free one. Resolves when it answers. */
export async function startServer(world: World, bin: string, data: string, port: number): Promise<RunningServer> {
  const child = spawn(process.execPath, [bin, '--data', data, '--port', String(port), '--json'], {
    ...world,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { url } = await readReadyLine(child);
  return {
    url,
    port: Number(new URL(url).port),
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function readReadyLine(child: ChildProcess): Promise<{ readonly url: string }> {
  if (child.stdout === null) throw new Error('The team server has no output.');
  for await (const line of createInterface({ input: child.stdout })) {
    // The server's own ready line.
    return JSON.parse(line) as { url: string };
  }
  throw new Error('The team server ended before it was ready.');
}
