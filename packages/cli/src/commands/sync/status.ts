/** `spec-kitty sync status`: the queue, the link, the last sync, each with evidence and age (US6-4, FR-037). */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { renderSyncStatus, syncStatusDocument } from '../../render/sync-status.ts';

export default class SyncStatus extends SpecKittyCommand {
  static override summary = 'Show what waits, the link to the server, and the last sync.';
  static override description = 'Reads this machine only and changes nothing.';
  static override examples = [
    { description: 'Look', command: '<%= config.bin %> sync status' },
    {
      description: 'Count waiting events in a script',
      command: '<%= config.bin %> sync status --json | jq .queue.queued',
    },
  ];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(SyncStatus);
    const client = await this.session().client();
    const status = await client.status();
    return { data: syncStatusDocument(status), text: renderSyncStatus(status, Date.now()) };
  }
}
