/** `spec-kitty sync rejected show EVENT_ID`: one refused event, whole. */
import * as Args from '@oclif/core/args';

import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { Refusal } from '../../../failure.ts';
import { rejectedDocument, renderRejectedEvent } from '../../../render/rejected.ts';

export default class SyncRejectedShow extends SpecKittyCommand {
  static override summary = 'Show one refused event as it would be sent, and why it was not taken.';
  static override examples = [
    { description: 'Show it', command: '<%= config.bin %> sync rejected show 01KGVZ3Q8M5T2N7RJ4W6XA9BCF' },
  ];
  static override args = {
    event_id: Args.string({
      description: 'Its id, as `sync rejected list` prints it.',
      required: true,
      ignoreStdin: true,
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args } = await this.parse(SyncRejectedShow);
    const client = await this.session().client();
    const row = (await client.rejected.list()).find(({ eventId }) => eventId === args.event_id);
    if (row === undefined)
      throw new Refusal('no-such-event', 'No refused event has this id.', {
        remedy: 'See which there are: spec-kitty sync rejected list',
      });
    return { data: rejectedDocument(row, true), text: renderRejectedEvent(row, Date.now()) };
  }
}
