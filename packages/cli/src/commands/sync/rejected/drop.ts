/** `spec-kitty sync rejected drop EVENT_ID…|--all --yes`: gone for good, counted. */
import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { UsageError } from '../../../failure.ts';
import { decisionOutcome, selectionFlags, selectionOf } from '../../../rejected-command.ts';

export default class SyncRejectedDrop extends SpecKittyCommand {
  static override summary = 'Remove refused events for good.';
  static override description =
    'They are counted among the dropped events and cannot be had back: export them first. Exit code 1 when an id is not that of a refused event.';
  static override examples = [
    { description: 'One event', command: '<%= config.bin %> sync rejected drop 01KGVZ3Q8M5T2N7RJ4W6XA9BCF' },
    {
      description: 'All, kept in a file',
      command:
        '<%= config.bin %> sync rejected export --out refused.jsonl && <%= config.bin %> sync rejected drop --all --yes',
    },
  ];
  static override strict = false;
  static override usage = 'sync rejected drop [EVENT_ID...] [--all --yes] [--json]';
  static override flags = {
    ...selectionFlags,
    yes: Flags.boolean({ description: 'Really drop all of them.', dependsOn: ['all'] }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { argv, flags } = await this.parse(SyncRejectedDrop);
    const which = selectionOf(argv.map(String), flags.all);
    if (which === 'all' && !flags.yes)
      throw new UsageError(
        'Dropping all refused events takes --yes as well.',
        'Keep them first: spec-kitty sync rejected export --out FILE',
      );
    const client = await this.session().client();
    return decisionOutcome(await client.rejected.drop(which), 'dropped');
  }
}
