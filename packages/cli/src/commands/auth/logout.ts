/** `spec-kitty auth logout`: forgets the sign-in; events stay. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { renderSession, sessionDocument } from '../../render/auth.ts';

export default class AuthLogout extends SpecKittyCommand {
  static override summary = 'Sign out on this machine; events not yet sent are kept.';
  static override examples = [{ description: 'Sign out', command: '<%= config.bin %> auth logout' }];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(AuthLogout);
    const client = await this.session().client();
    const session = await client.logout();
    return {
      data: { logged_out: session !== null, ...sessionDocument(session) },
      text:
        session === null
          ? 'Nobody was signed in.'
          : `Signed out: ${renderSession(session)}. Events not yet sent are kept.`,
    };
  }
}
