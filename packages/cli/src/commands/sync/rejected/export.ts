/** `spec-kitty sync rejected export [--out FILE]`: refused events as JSON Lines, to keep or to send to somebody. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from '../../../command.ts';
import { Refusal } from '../../../failure.ts';
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
    await writeNew(resolve(this.invocation().cwd(), flags.out), lines);
    return { data: { exported: rejected.length }, text: `${events(rejected.length)} written.` };
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'EEXIST')
      throw new Refusal('file-exists', 'That file is there already; nothing was written.', {
        remedy: 'Name another one with --out.',
      });
    throw new Refusal('file-unusable', `The file cannot be written (${code}).`, {
      remedy: 'Name another one with --out.',
    });
  }
}
