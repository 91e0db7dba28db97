/** `spec-kitty sync retarget OLD NEW`: the same server is now found under another address. */
import * as Args from '@oclif/core/args';

import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { events } from '../../render/words.ts';

export default class SyncRetarget extends SpecKittyCommand {
  static override summary = 'Move waiting events to another address of the same server.';
  static override description =
    'Events go only to the server they were recorded for. When that server has moved, this says so. They leave once you are signed in there.';
  static override examples = [
    {
      description: 'After a move',
      command: '<%= config.bin %> sync retarget https://old.example.com https://kitty.example.com',
    },
  ];
  static override args = {
    old: Args.string({ description: 'The address the events are bound to.', required: true, ignoreStdin: true }),
    new: Args.string({ description: 'Where the same server is now.', required: true, ignoreStdin: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args } = await this.parse(SyncRetarget);
    const client = await this.session().client();
    const moved = await client.retarget({ from: args.old, to: args.new });
    return {
      data: { moved, from: args.old, to: args.new },
      text: `${events(moved)} moved.`,
    };
  }
}
