/** One process from start to end, by the clock. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface TimedProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Exit codes that are an answer. Default: only 0. */
  readonly codes?: readonly number[];
}

/** Milliseconds from before the start until the process ended. Rejects, with what it said on stderr, when it failed. */
export async function timed(run: TimedProcess): Promise<number> {
  return (await runTimed(run, 'ignore')).ms;
}

/** The same, with what it printed. */
export async function told(run: TimedProcess): Promise<{ readonly ms: number; readonly output: string }> {
  return runTimed(run, 'pipe');
}

async function runTimed(
  { file, args, cwd, env, input = '', codes = [0] }: TimedProcess,
  stdout: 'ignore' | 'pipe',
): Promise<{ readonly ms: number; readonly output: string }> {
  const startedAt = performance.now();
  const child = spawn(file, args, { cwd, env, stdio: ['pipe', stdout, 'pipe'] });
  let [output, messages] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (messages += text));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const isRead = stdout === 'pipe' ? once(child, 'close') : undefined;
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  const ms = performance.now() - startedAt;
  await isRead;
  if (code === null || !codes.includes(code))
    throw new Error(`${args.slice(1).join(' ')} ended with ${code ?? signal}: ${messages.trim().slice(0, 2000)}`);
  return { ms, output };
}
