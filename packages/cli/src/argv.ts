/** What the words of a command line say before any command is known. Pure. */

/** The switches every command takes, and the words with those switches where the framework expects them. */
export interface GlobalSwitches {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly debug: boolean;
}

const GLOBAL_SWITCHES: ReadonlySet<string> = new Set(['--json', '--debug']);

/**
 * Reads `--json` and `--debug`, wherever they stand before `--`. Switches in front of the command are moved behind
 * it: the framework takes the first word for the command's name.
 */
export function readGlobalSwitches(argv: readonly string[]): GlobalSwitches {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const passed = end === -1 ? [] : argv.slice(end);
  const commandAt = own.findIndex((word) => !GLOBAL_SWITCHES.has(word));
  const leading = commandAt === -1 ? own : own.slice(0, commandAt);
  const rest = helpLast(own.slice(leading.length));
  return {
    // Without a command there is nothing they could follow: the help is shown.
    words: rest.length === 0 ? passed : [...rest, ...leading.filter((word) => !rest.includes(word)), ...passed],
    json: own.includes('--json'),
    debug: own.includes('--debug'),
  };
}

/** `help sync now` is how many people ask for `sync now --help`. */
function helpLast(words: readonly string[]): readonly string[] {
  return words[0] === 'help' ? [...words.slice(1), '--help'] : words;
}
