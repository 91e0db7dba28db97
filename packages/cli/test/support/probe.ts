/** A command that emits one event and then ends the way it is told to. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from '../../src/command.ts';

export default class Probe extends SpecKittyCommand {
  static override summary = 'Emit one event, then end as told.';
  static override examples = ['<%= config.bin %> probe ok'];
  static override emits = true;
  static override args = { how: Args.string({ required: true, description: 'The ending.', ignoreStdin: true }) };
  static override flags = { quiet: Flags.boolean({ description: 'Emit nothing.' }) };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(Probe);
    const session = this.session();
    session.about({ wpId: 'WP07' });
    if (!flags.quiet) {
      await session.emitAll([
        { type: 'HistoryAdded', payload: { wp_id: 'WP07', entry_type: 'note', entry_content: 'x', author: 'user' } },
      ]);
    }
    switch (args.how) {
      case 'ok':
        return { data: { done: true }, text: 'done' };
      case 'refuse':
        throw Object.assign(new Error('WP07 is not ready.\nIt has open subtasks.'), {
          code: 'not-ready',
          kind: 'validation',
          remedy: 'Finish T001.',
        });
      case 'crash':
        throw new TypeError(`cannot read ${process.env['HOME'] ?? ''}/secret eyJhbGciOi.eyJzdWIi.c2ln`);
      case 'async-crash':
        setTimeout(() => {
          throw new Error('thrown from a timer');
        }, 1);
        return await new Promise(() => {});
      case 'hang':
        setInterval(() => {}, 1000);
        process.stderr.write('hanging\n');
        return await new Promise(() => {});
      default:
        return { data: {}, text: '' };
    }
  }
}
