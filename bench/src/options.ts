/** What `npm run bench -- …` was asked for. Pure. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly isQuick: boolean;
  /** The sections asked for; undefined: all. */
  readonly only: readonly string[] | undefined;
}

/** Throws, with what may be asked for, when it is something else. `names`: the sections there are. */
export function readOptions(args: readonly string[], names: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
  });
  const only = values.only?.flatMap((list) => list.split(',')).map((name) => name.trim());
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. There is: ${names.join(', ')}.`);
  return { isQuick: values.quick, only };
}
