/** `spec-kitty auth status`: who is signed in. Being signed out is an answer, not a failure: exit code 0 either way. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { authStatusDocument, renderAuthStatus } from '../../render/auth.ts';

export default class AuthStatusCommand extends SpecKittyCommand {
  static override summary = 'Show who is signed in, and for how long.';
  static override description =
    'Looks at this machine only. Exits with 0 also when nobody is signed in; scripts read `authenticated` of --json.';
  static override examples = [
    { description: 'Look', command: '<%= config.bin %> auth status' },
    { description: 'Ask from a script', command: '<%= config.bin %> auth status --json' },
  ];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(AuthStatusCommand);
    const client = await this.session().client();
    const status = await client.authStatus();
    const now = Date.now();
    return { data: authStatusDocument(status), text: renderAuthStatus(status, now) };
  }
}
