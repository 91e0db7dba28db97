/** `spec-kitty sync status`: the queue, the link, the last sync, each with evidence and age (US6-4, FR-037). */
import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { probeDocument, probeExitCode, renderProbe } from '../../render/probe.ts';
import { renderSyncStatus, syncStatusDocument } from '../../render/sync-status.ts';

export default class SyncStatus extends SpecKittyCommand {
  static override summary = 'Show what waits, the link to the server, and the last sync.';
  static override description =
    'Reads this machine only and changes nothing. With --check it also asks the server, with the present sign-in: exit code 0 when events can leave, 1 the server refuses, 3 not reachable, 4 not signed in.';
  static override examples = [
    { description: 'Look', command: '<%= config.bin %> sync status' },
    {
      description: 'Count waiting events in a script',
      command: '<%= config.bin %> sync status --json | jq .queue.queued',
    },
    { description: 'Ask the server too', command: '<%= config.bin %> sync status --check' },
  ];
  static override flags = {
    check: Flags.boolean({ char: 'c', description: 'Ask the server whether it answers and accepts the sign-in.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(SyncStatus);
    const session = this.session();
    const client = await session.client();
    const status = await client.status();
    const [data, text] = [syncStatusDocument(status), renderSyncStatus(status, Date.now())];
    if (!flags.check) return { data, text };
    const probe = await client.probe(session.signal);
    return {
      data: { ...data, check: probeDocument(probe) },
      text: `${text}\nCheck       ${renderProbe(probe)}`,
      exitCode: probeExitCode(probe),
    };
  }
}
