/** What can be typed at each place of a command line: the program's manifest as plain rows. Pure. */

/** One thing to type. */
export interface Word {
  readonly name: string;
  readonly summary: string;
}

/** A flag in all its spellings, and what follows it. */
export interface FlagRow {
  /** Without dashes; the first is the one to offer. */
  readonly long: readonly string[];
  readonly short?: string;
  readonly summary: string;
  /** Absent: a switch. */
  readonly value?: Values;
}

/** What can follow a flag: one of these, the name of a file, or anything (neither). */
export interface Values {
  readonly oneOf: readonly string[];
  readonly isFile: boolean;
}

/** A place: the program itself, a topic, or a command. */
export interface Place {
  /** Words behind the program's name, joined by spaces. */
  readonly words: string;
  readonly next: readonly Word[];
  readonly flags: readonly FlagRow[];
}

/** What the manifest says of a command, as far as it is needed. */
export interface CommandFacts {
  readonly id: string;
  readonly hidden?: boolean | undefined;
  readonly summary?: string | undefined;
  readonly flags: Readonly<Record<string, FlagFacts>>;
  readonly args: Readonly<Record<string, { readonly options?: readonly string[] | undefined }>>;
}

export interface FlagFacts {
  readonly name: string;
  readonly char?: string | undefined;
  readonly hidden?: boolean | undefined;
  readonly description?: string | undefined;
  readonly summary?: string | undefined;
  readonly type: 'boolean' | 'option';
  readonly allowNo?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
}

/** What a help value means to a person who presses Tab. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  LANE: ['planned', 'doing', 'for_review', 'done'],
};
const FILE_VALUES: ReadonlySet<string> = new Set(['FILE', 'PATH']);

const HELP: FlagRow = { long: ['help'], short: 'h', summary: 'Say what this does and how.' };
const VERSION: FlagRow = { long: ['version'], short: 'v', summary: 'Say which version this is.' };

/** Every place there is, the program itself first. */
export function completionTable(
  commands: readonly CommandFacts[],
  topics: readonly { readonly name: string; readonly description?: string | undefined }[],
): readonly Place[] {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const summaries = new Map([
    ...topics.map(({ name, description }) => [name, description ?? ''] as const),
    ...shown.map(({ id, summary }) => [id, summary ?? ''] as const),
  ]);
  const ids = [...new Set(['', ...shown.flatMap(({ id }) => pathsTo(id))])].toSorted();
  return ids.map((id) => {
    const command = shown.find((each) => each.id === id);
    const below = ids.filter((each) => each !== '' && parentOf(each) === id);
    const first = Object.values(command?.args ?? {})[0]?.options ?? [];
    return {
      words: id.replaceAll(':', ' '),
      next: [
        ...below.map((each) => ({ name: lastOf(each), summary: plain(summaries.get(each) ?? '') })),
        ...first.map((name) => ({ name, summary: '' })),
      ],
      flags: [...flagRows(command?.flags ?? {}), HELP, ...(id === '' ? [VERSION] : [])],
    };
  });
}

function flagRows(flags: Readonly<Record<string, FlagFacts>>): readonly FlagRow[] {
  return Object.values(flags)
    .filter(({ hidden }) => hidden !== true)
    .map(({ name, char, summary, description, type, allowNo, options, helpValue }) => ({
      long: allowNo === true ? [name, `no-${name}`] : [name],
      ...(char === undefined ? {} : { short: char }),
      summary: plain(summary ?? description ?? ''),
      ...(type === 'boolean' ? {} : { value: valuesOf(options, helpValue) }),
    }));
}

function valuesOf(options: readonly string[] | undefined, helpValue: string | readonly string[] | undefined): Values {
  const [shown = ''] = helpValue === undefined || typeof helpValue === 'string' ? [helpValue] : helpValue;
  const spelledOut = /^[a-z-]+(?:\|[a-z-]+)+$/.test(shown) ? shown.split('|') : [];
  return { oneOf: options ?? KNOWN_VALUES[shown] ?? spelledOut, isFile: FILE_VALUES.has(shown) };
}

/** `a:b:c` → `a`, `a:b`, `a:b:c`. */
function pathsTo(id: string): readonly string[] {
  const parts = id.split(':');
  return parts.map((_, index) => parts.slice(0, index + 1).join(':'));
}

const parentOf = (id: string): string => id.split(':').slice(0, -1).join(':');
const lastOf = (id: string): string => id.split(':').at(-1) ?? id;

/** The first sentence, on one line. */
function plain(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return /^.*?[.:;](?= |$)/.exec(line)?.[0].replace(/[.:;]$/, '') ?? line;
}

/** `text` as one word of a POSIX shell, and of fish. What is written by us holds no backslash. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll('\\', '').replaceAll("'", '’')}'`;
}

/** Every spelling of the flags of a place. */
export function spellings(flag: FlagRow): readonly string[] {
  return [...(flag.short === undefined ? [] : [`-${flag.short}`]), ...flag.long.map((name) => `--${name}`)];
}
