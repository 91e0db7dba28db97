/** Asks a person on the terminal. Questions go to stderr: stdout is for results. */
import { harmless } from './render/words.ts';

/** Whether there is a person to ask. */
export function canPrompt(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for a line of text. */
export async function askText(message: string): Promise<string> {
  const { input } = await import('@inquirer/prompts');
  return await input({ message: harmless(message, false), required: true }, { output: process.stderr });
}

/** Asks for a secret; what is typed is not shown. */
export async function askSecret(message: string): Promise<string> {
  const { password } = await import('@inquirer/prompts');
  return await password({ message: harmless(message, false), mask: false }, { output: process.stderr });
}

/** Asks a question that yes or no answers; Enter means no. */
export async function askYesNo(message: string): Promise<boolean> {
  const { confirm } = await import('@inquirer/prompts');
  return await confirm({ message: harmless(message, false), default: false }, { output: process.stderr });
}

const MAX_SECRET_BYTES = 64 * 1024;

/** Reads a secret from a pipe: everything up to its end, without the last line break. */
export async function readSecret(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_SECRET_BYTES) break;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
