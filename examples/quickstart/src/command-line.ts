/** Runs programs the way a person would, in a scratch world, and shows what was typed and what came back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a program printed and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  /** Working directory. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a program to its end. `input` is what is typed into it. */
export async function run(world: World, program: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(program, args, { ...world, stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A program that reads nothing may be gone before this is written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** A line as it would be typed. */
export function typed(args: readonly string[]): string {
  return args.map((arg) => (/[^\w./:=-]/.test(arg) ? `"${arg}"` : arg)).join(' ');
}

/** What a terminal would show: output and messages, indented under the command. */
export function indent(text: string): string {
  const trimmed = text.replace(/\s+$/, '');
  return trimmed === '' ? '' : `${trimmed.replaceAll(/^/gm, '    ')}\n`;
}
