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
export async function timed({ file, args, cwd, env, input = '', codes = [0] }: TimedProcess): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'ignore', 'pipe'] });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (messages += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === null || !codes.includes(code)) throw new Error(`${args.join(' ')} ended with ${code}: ${messages}`);
  return performance.now() - startedAt;
}
