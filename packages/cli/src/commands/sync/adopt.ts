/** `spec-kitty sync adopt`: the project's events go to the team signed in, because a person says so. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { Refusal } from '../../failure.ts';
import { events } from '../../render/words.ts';

export default class SyncAdopt extends SpecKittyCommand {
  static override summary = 'Give the events of this project to the team you are signed in for.';
  static override description =
    'Releases events that are held because the project belonged to another team. Events already bound to a team stay bound to it.';
  static override examples = [{ description: 'Inside the project', command: '<%= config.bin %> sync adopt' }];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(SyncAdopt);
    const client = await this.session().client();
    const answer = await client.adopt();
    switch (answer.kind) {
      case 'adopted':
        return {
          data: { team_slug: answer.teamSlug, released: answer.events },
          text: `This project belongs to team ${answer.teamSlug} now. ${events(answer.events)} released${answer.events > 0 ? '. Send now: spec-kitty sync now' : '.'}`,
        };
      case 'no-team':
        throw new Refusal('no-team', 'Nobody with a team is signed in.', {
          remedy: 'Sign in first: spec-kitty auth login',
          exitCode: 4,
        });
      case 'named-otherwise':
        throw new Refusal('team-named', `The project's own settings name team ${answer.teamSlug}.`, {
          remedy:
            'Change project.team_slug in .kittify/config.yaml, or sign in for that team: spec-kitty auth login --force',
        });
      case 'no-project':
        throw new Refusal('no-project', 'This is no project with an identity.', {
          remedy: 'Go into the project, or give it one: spec-kitty init',
        });
      default:
        return answer satisfies never;
    }
  }
}
