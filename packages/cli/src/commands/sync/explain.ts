/** `spec-kitty sync explain [EVENT_ID]`: which gate holds an event, since when, and what helps. */
import * as Args from '@oclif/core/args';

import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { Refusal } from '../../failure.ts';
import {
  explanationDocument,
  explanationsDocument,
  renderExplanation,
  renderExplanations,
} from '../../render/explain.ts';

export default class SyncExplain extends SpecKittyCommand {
  static override summary = 'Say why events have not left yet, and what helps.';
  static override description =
    'Reads this machine only and changes nothing. Without an id, every waiting event is explained, by reason.';
  static override examples = [
    { description: 'Everything that waits', command: '<%= config.bin %> sync explain' },
    { description: 'One event', command: '<%= config.bin %> sync explain 01KGVZ3Q8M5T2N7RJ4W6XA9BCF' },
  ];
  static override args = {
    event_id: Args.string({ description: 'The id of a waiting event.', required: false, ignoreStdin: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args } = await this.parse(SyncExplain);
    const client = await this.session().client();
    const [all, server, now] = [await client.explain(), await client.serverUrl(), Date.now()];
    if (args.event_id === undefined)
      return { data: explanationsDocument(all, server), text: renderExplanations(all, server, now) };
    const event = all.find(({ eventId }) => eventId === args.event_id);
    if (event === undefined)
      throw new Refusal(
        'no-such-event',
        'No event with this id waits here: it was delivered, or never recorded here.',
        {
          remedy: 'See what waits: spec-kitty sync explain',
        },
      );
    return { data: explanationDocument(event, server), text: renderExplanation(event, server, now) };
  }
}
