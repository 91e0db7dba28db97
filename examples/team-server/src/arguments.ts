/** The command line, read into one of three commands or a usage error. Pure: looks at nothing but the words. */
import { parseArgs } from 'node:util';

/** What the words ask for. */
export type Command =
  | {
      readonly kind: 'serve';
      readonly port: number;
      readonly host: string;
      readonly data: string;
      readonly json: boolean;
    }
  | {
      readonly kind: 'user-add';
      readonly username: string;
      readonly team: string;
      readonly data: string;
      readonly passwordStdin: boolean;
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Shown by `--help`. */
export const USAGE = `A team server for Spec Kitty events, with a live kanban board.

USAGE
  spec-kitty-team-server [--port 8787] [--host 127.0.0.1] [--data FILE] [--json]
  spec-kitty-team-server user add NAME --team TEAM [--data FILE] [--password-stdin]

OPTIONS
  --port N           port to listen on; 0 picks a free one        (default 8787)
  --host ADDRESS     address to listen on                         (default 127.0.0.1)
  --data FILE        SQLite file with users and events, created   (default team-server.db)
                     when absent, readable by its owner only
  --json             print one line {"url":…,"pid":…} when ready
  --team TEAM        team of the new user; created when absent
  --password-stdin   read the password from standard input instead of asking

EXAMPLE
  echo "$PASSWORD" | spec-kitty-team-server user add alice --team acme --password-stdin
  spec-kitty-team-server --port 8787
`;

/** Reads the words after the program's name. */
export function parseCommand(argv: readonly string[]): Command {
  let parsed: ReturnType<typeof parseWords>;
  try {
    parsed = parseWords(argv);
  } catch (error) {
    return { kind: 'usage-error', message: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };

  const [first, second, name, ...rest] = positionals;
  if (first === 'user' && second === 'add') {
    if (name === undefined || rest.length > 0)
      return { kind: 'usage-error', message: 'user add needs exactly one name.' };
    if (values.team === undefined) return { kind: 'usage-error', message: 'user add needs --team TEAM.' };
    return {
      kind: 'user-add',
      username: name,
      team: values.team,
      data: values.data,
      passwordStdin: values['password-stdin'],
    };
  }
  if (first !== undefined) return { kind: 'usage-error', message: `Unknown command: ${positionals.join(' ')}` };

  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    return { kind: 'usage-error', message: '--port needs a number from 0 to 65535.' };
  return { kind: 'serve', port, host: values.host, data: values.data, json: values.json };
}

function parseWords(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '8787' },
      host: { type: 'string', default: '127.0.0.1' },
      data: { type: 'string', default: 'team-server.db' },
      json: { type: 'boolean', default: false },
      team: { type: 'string' },
      'password-stdin': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}
