/** `spec-kitty auth login`: signs this machine in on one server. */
import * as Flags from '@oclif/core/flags';

import type { Destination } from '@spec-kitty/events-sdk';
import { parseServerUrl } from '@spec-kitty/events-sdk/auth';

import type { AuthStatus, NodeClient } from '../../client.ts';
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { Refusal, UsageError } from '../../failure.ts';
import { askSecret, askText, canPrompt, readSecret } from '../../prompt.ts';
import { isUsable, renderSession, sessionDocument } from '../../render/auth.ts';
import { isElsewhere, renderElsewhere } from '../../render/elsewhere.ts';

export default class AuthLogin extends SpecKittyCommand {
  static override summary = 'Sign in, so that events reach the team.';
  static override description =
    'Asks for what is missing on a terminal. Elsewhere give --username and pipe the password in with --password-stdin. ' +
    'The server is remembered; events kept so far are sent at the next sync.';
  static override examples = [
    {
      description: 'Sign in on a terminal',
      command: '<%= config.bin %> auth login --server https://kitty.example.com',
    },
    {
      description: 'Sign in from a script',
      command:
        'printf %s "$PASSWORD" | <%= config.bin %> auth login --server https://kitty.example.com -u alice@example.com --password-stdin',
    },
  ];
  static override flags = {
    server: Flags.string({ description: 'Address of the server. Default: the one used last.', helpValue: 'URL' }),
    username: Flags.string({ char: 'u', description: 'Who signs in.', helpValue: 'NAME' }),
    'password-stdin': Flags.boolean({ description: 'Read the password from standard input.' }),
    force: Flags.boolean({ char: 'f', description: 'Sign in again, in place of the present sign-in.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(AuthLogin);
    const client = await this.session().client();

    const before = await client.authStatus();
    if (!flags.force && before.session !== null && isUsable(before)) return alreadySignedIn(before, flags);

    // Checked first: nobody types a password for an address that is refused afterwards.
    const server = parseServerUrl(flags.server ?? (await knownServer(client)));
    const terminal = canPrompt();
    if (!terminal && (flags.username === undefined || !flags['password-stdin'])) {
      throw new UsageError(
        'There is no terminal to ask for the user name and password.',
        'Give --username NAME and pipe the password in with --password-stdin.',
      );
    }
    const username = flags.username ?? (await askText('User name'));
    const password = flags['password-stdin'] ? await readSecret(process.stdin) : await askSecret('Password');
    if (password === '')
      throw new Refusal('empty-password', 'The password is empty.', {
        remedy:
          'Pipe it in: printf %s "$PASSWORD" | spec-kitty auth login --server URL --username NAME --password-stdin',
      });

    const session = await client.login({ server, username, password }).catch((cause: unknown) => {
      throw withServer(cause, server);
    });
    const elsewhere = (await waiting(client)).filter((group) => isElsewhere(group, session));
    if (elsewhere.length > 0) this.session().warn('events-wait-elsewhere', renderElsewhere(elsewhere));
    return {
      data: {
        authenticated: true,
        already: false,
        ...sessionDocument(session),
        waiting_elsewhere: elsewhere.map(({ teamSlug, ...group }) => ({ team_slug: teamSlug, ...group })),
      },
      text: `Signed in as ${renderSession(session)}.`,
    };
  }
}

/** A queue that cannot be read does not undo a sign-in. */
async function waiting(client: NodeClient): Promise<readonly Destination[]> {
  return client.destinations().catch(() => []);
}

/** Nothing to do, unless another account or server was asked for: then saying "done" would be wrong. */
function alreadySignedIn(
  status: AuthStatus,
  asked: { readonly server?: string | undefined; readonly username?: string | undefined },
): CommandOutcome {
  const session = status.session as NonNullable<AuthStatus['session']>; // the caller has looked
  const other =
    (asked.server !== undefined && withoutSlash(asked.server) !== withoutSlash(session.server)) ||
    (asked.username !== undefined && asked.username !== session.username);
  if (other) {
    throw new Refusal('already-signed-in', `Already signed in as ${renderSession(session)}.`, {
      remedy: 'To change to the other account or server, add --force, or run `spec-kitty auth logout` first.',
    });
  }
  return {
    data: { authenticated: true, already: true, ...sessionDocument(session) },
    text: `Already signed in as ${renderSession(session)}.\nTo sign in again, add --force.`,
  };
}

/** The library's remedies know no address; the one just tried may not be remembered yet. */
function withServer(cause: unknown, server: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (!(cause instanceof Error) || (code !== 'AUTH_REFUSED' && code !== 'SERVER_UNREACHABLE')) return cause;
  const check = code === 'AUTH_REFUSED' ? 'Check the user name and password' : 'Check the network and the address';
  return new Refusal(code === 'AUTH_REFUSED' ? 'auth-refused' : 'server-unreachable', cause.message, {
    remedy: `${check}, then try again: spec-kitty auth login --server ${server}`,
  });
}

async function knownServer(client: NodeClient): Promise<string> {
  const server = await client.serverUrl();
  if (server !== null) return server;
  throw new Refusal('no-server', 'No server is known yet.', {
    remedy: 'Name it: spec-kitty auth login --server URL',
  });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '').toLowerCase();
}
