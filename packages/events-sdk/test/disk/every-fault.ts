/** Every call of a protocol failing in every way, one after the other. */
import { isEventsSdkError } from '../../src/errors.ts';
import type { Disk } from '../../src/node/disk.ts';
import { failingDisk, type DiskFault, type FailingDisk } from '../../src/testing/simulated-disk-faults.ts';

type Kind = Omit<DiskFault, 'call'>;

const ERRORS = ['EIO', 'ENOSPC', 'EACCES', 'EROFS'] as const;

/** Ways for a call to fail: with each error, once and for ever; once having done what it was asked to; a short write once and for ever. */
const KINDS: readonly Kind[] = [
  ...ERRORS.flatMap((error): Kind[] => [
    { error, times: 'once' },
    { error, times: 'for ever' },
  ]),
  // What was done is looked at, not which error hid it.
  { error: 'EIO', times: 'once', effect: 'done' },
  { error: 'EIO', times: 'for ever', effect: 'done' },
  { error: 'short', times: 'once' },
  { error: 'short', times: 'for ever' },
];

/**
 * Calls `run` on and on, each time with another call failing in another way; `run` wraps the disk with what it is
 * given and says what went wrong. Answers how many faults there were and what was wrong with them.
 */
export async function forEveryFault(
  run: (wrap: (disk: Disk) => Disk, isForEver: boolean) => Promise<string | undefined>,
  errors: readonly DiskFault['error'][] = [...ERRORS, 'short'],
): Promise<{ readonly faults: number; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  let faults = 0;
  for (const kind of KINDS.filter(({ error }) => errors.includes(error))) {
    for (let call = 1; ; call += 1) {
      const wrapped: FailingDisk[] = [];
      const trouble = await run((disk) => {
        const failing = failingDisk(disk, { ...kind, call });
        wrapped.push(failing);
        return failing;
      }, kind.times === 'for ever');
      if (wrapped.some((disk) => disk.hasFailed())) faults += 1;
      const { error, times, effect = 'none' } = kind;
      if (trouble !== undefined) wrong.push(`call ${call}, ${error} ${times}, effect ${effect}: ${trouble}`);
      if (wrapped.every((disk) => disk.calls() < call)) break;
    }
  }
  return { faults, wrong };
}

/** Runs it; undefined when it succeeded, else its error, which must be one of ours. */
export async function failureOf(
  work: () => unknown,
): Promise<{ readonly isOurs: boolean; readonly text: string } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { isOurs: isEventsSdkError(error), text: String(error) };
  }
}
