/** The built program in a temporary directory, and a browser's few requests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../bin/team-server.js', import.meta.url));

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'team-server-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function run(args: readonly string[], cwd: string, input = ''): Promise<Run> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // A run that ends on a usage error closes its input before it is written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

export interface Serving {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
}

/** Starts the server with `--json` on a free port and waits for its line. */
export async function serve(cwd: string, args: readonly string[] = []): Promise<Serving> {
  const child = spawn(process.execPath, [PROGRAM, '--port', '0', '--json', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { url, pid }: { readonly url: string; readonly pid: number } = JSON.parse(String(line));
  return { url, pid, child, exit };
}

export async function accessToken(url: string, username: string, password: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/token/`, {
    method: 'POST',
    body: JSON.stringify({ username, password }),
  });
  const tokens: { readonly access: string } = JSON.parse(await response.text());
  return tokens.access;
}

/** Signs a browser in to the board; returns its cookie. */
export async function boardCookie(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}/board/session`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}
