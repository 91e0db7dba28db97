/** `spec-kitty sync store [--convert DRIVER]`: shows how the queue is kept, or hands it to the other driver. */
import * as Flags from '@oclif/core/flags';

import { findQueueFile, type QueueDriver } from '../../client.ts';
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { renderConversion, renderStore } from '../../render/store.ts';

const DRIVERS: readonly QueueDriver[] = ['node-sqlite', 'sqljs'];

export default class SyncStore extends SpecKittyCommand {
  static override summary = 'Show how waiting events are kept, or convert the file.';
  static override description =
    'queue.db belongs to one driver at a time: node-sqlite, or sqljs where the runtime has no SQLite of its own. ' +
    'Converting keeps every event; it waits for other processes and changes nothing while one has the queue open.';
  static override examples = [
    { description: 'Show it', command: '<%= config.bin %> sync store' },
    { description: 'Make it a file for sql.js', command: '<%= config.bin %> sync store --convert sqljs' },
  ];
  static override flags = {
    convert: Flags.option({ options: DRIVERS, description: 'The driver that is to take the file.' })(),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(SyncStore);
    const file = await findQueueFile(this.invocation().env);
    if (flags.convert === undefined) {
      const store = { ...file.look(), path: file.path, damaged: file.damaged() };
      return { data: store, text: renderStore(store) };
    }
    const { from, changed } = await file.convert(flags.convert);
    const { driver, bytes } = file.look();
    return {
      data: { driver, path: file.path, bytes, from, changed },
      text: renderConversion({ driver: flags.convert, from, changed, path: file.path, configPath: file.configPath }),
    };
  }
}
