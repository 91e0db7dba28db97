/** `spec-kitty sync rejected list`: what the server has refused. */
import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { rejectedDocument, renderRejectedList } from '../../../render/rejected.ts';

export default class SyncRejectedList extends SpecKittyCommand {
  static override summary = 'List the events the server has refused, with its reasons.';
  static override description =
    'Refused events stay on this machine. After five refusals an event is set aside and no longer sent.';
  static override examples = [
    { description: 'List them', command: '<%= config.bin %> sync rejected list' },
    {
      description: 'Only the reasons',
      command: '<%= config.bin %> sync rejected list --json | jq -r ".rejected[].reason"',
    },
  ];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(SyncRejectedList);
    const client = await this.session().client();
    const rejected = await client.rejected.list();
    return {
      data: { rejected: rejected.map((row) => rejectedDocument(row, false)) },
      text: renderRejectedList(rejected, Date.now()),
    };
  }
}
