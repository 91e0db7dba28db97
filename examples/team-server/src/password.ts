/** Reads a password: from a pipe, or typed without being shown. */
import type { ReadStream } from 'node:tty';

/** All of standard input, without the line end that `echo` adds. */
export async function readPasswordFromPipe(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Asks on the terminal and shows nothing of what is typed; undefined when the person gives up with Ctrl-C. */
export function askPassword(input: ReadStream, output: { write(text: string): unknown }): Promise<string | undefined> {
  return new Promise((resolve) => {
    let typed = '';
    const finish = (password: string | undefined): void => {
      input.off('data', onData);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      resolve(password);
    };
    const onData = (chunk: Buffer): void => {
      for (const char of chunk.toString('utf8')) {
        if (char === '\r' || char === '\n') return finish(typed);
        if (char === '\u0003' || char === '\u0004') return finish(undefined);
        typed = char === '\u007f' || char === '\b' ? typed.slice(0, -1) : typed + char;
      }
    };
    output.write('Password: ');
    input.setRawMode(true);
    input.resume();
    input.on('data', onData);
  });
}
