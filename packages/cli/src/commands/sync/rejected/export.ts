/** `spec-kitty sync rejected export [--out FILE]`: refused events as JSON Lines, to keep or to send to somebody. */
import { resolve } from 'node:path';

import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { writeNewFile } from '../../../new-file.ts';
import { exportLine, rejectedDocument } from '../../../render/rejected.ts';
import { events } from '../../../render/words.ts';

export default class SyncRejectedExport extends SpecKittyCommand {
  static override summary = 'Print refused events, or write them to a file, one JSON object a line.';
  static override description =
    'Each line holds the whole event and the reason it was refused. Events stay as they are. A file that is there already is never overwritten.';
  static override examples = [
    { description: 'Into a file', command: '<%= config.bin %> sync rejected export --out refused.jsonl' },
    { description: 'Look for one package', command: '<%= config.bin %> sync rejected export | grep WP03' },
  ];
  static override flags = {
    out: Flags.string({
      description: 'A new file, readable by you only. Default: standard output.',
      helpValue: 'FILE',
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(SyncRejectedExport);
    const client = await this.session().client();
    const rejected = await client.rejected.list();
    const lines = rejected.map((row) => `${exportLine(row)}\n`).join('');
    if (flags.out === undefined)
      return { data: { rejected: rejected.map((row) => rejectedDocument(row, true)) }, text: lines };
    await writeNewFile(resolve(this.invocation().cwd(), flags.out), lines, '--out');
    return { data: { exported: rejected.length }, text: `${events(rejected.length)} written.` };
  }
}
