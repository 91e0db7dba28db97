/** `spec-kitty sync rejected retry EVENT_ID…|--all`: back among those to be sent. */
import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { decisionOutcome, selectionFlags, selectionOf } from '../../../rejected-command.ts';

export default class SyncRejectedRetry extends SpecKittyCommand {
  static override summary = 'Send refused events again.';
  static override description =
    'They wait again, with all five tries before them, and leave with the next delivery. Exit code 1 when an id is not that of a refused event.';
  static override examples = [
    { description: 'One event', command: '<%= config.bin %> sync rejected retry 01KGVZ3Q8M5T2N7RJ4W6XA9BCF' },
    {
      description: 'All, and deliver',
      command: '<%= config.bin %> sync rejected retry --all && <%= config.bin %> sync now',
    },
  ];
  static override strict = false;
  static override usage = 'sync rejected retry [EVENT_ID...] [--all] [--json]';
  static override flags = selectionFlags;

  protected async work(): Promise<CommandOutcome> {
    const { argv, flags } = await this.parse(SyncRejectedRetry);
    const which = selectionOf(argv.map(String), flags.all);
    const client = await this.session().client();
    return decisionOutcome(await client.rejected.retry(which), 'to be sent again');
  }
}
