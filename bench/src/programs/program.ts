/**
 * One way to record an event, as a program of its own: `once` opens, records one and closes; `for MS` records one after
 * the other and prints how many a second; `fill N` puts N there beforehand. The folder is the first argument.
 */

export interface Recorder {
  record(): unknown;
  /** Returns when everything is where it is to be. */
  close(): unknown;
}

export interface Program {
  open(folder: string): Recorder | Promise<Recorder>;
  /** Missing where nothing stays from one process to the next. */
  fill?(folder: string, rows: number): unknown;
}

/** Does what the command line says. */
export async function run({ open, fill }: Program): Promise<void> {
  const [folder = '', mode, amount = '0'] = process.argv.slice(2);
  if (mode === 'fill') return void (await fill?.(folder, Number(amount)));
  const recorder = await open(folder);
  if (mode === 'once') await recorder.record();
  else process.stdout.write(String(await recordFor(recorder, Number(amount))));
  await recorder.close();
}

async function recordFor(recorder: Recorder, ms: number): Promise<number> {
  // The first one prepares what the others use.
  await recorder.record();
  const startedAt = performance.now();
  let done = 0;
  let now = startedAt;
  while (now - startedAt < ms) {
    await recorder.record();
    done += 1;
    now = performance.now();
  }
  return (done * 1000) / (now - startedAt);
}
