/** `spec-kitty agent tasks status`: where the work packages of a feature stand. Reads only. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { featureFlag, ReadingCommand } from '../../../reading-command.ts';
import { renderKanban } from '../../../render/kanban.ts';
import { tasksStatus } from '../../../workflow/services/status.ts';

const DEFAULT_WIDTH = 100;

export default class TasksStatus extends ReadingCommand {
  static override summary = 'Show the lanes of a feature.';
  static override description = 'Reads only; never switches a branch.';
  static override examples = [
    { description: 'Look', command: '<%= config.bin %> agent tasks status' },
    {
      description: 'Find packages nobody has worked on for half an hour',
      command: '<%= config.bin %> agent tasks status --stale-threshold 30 --json',
    },
  ];
  static override flags = {
    feature: featureFlag,
    'stale-threshold': Flags.integer({
      description: 'Also name packages in doing whose branch got no commit for so many minutes.',
      helpValue: 'MINUTES',
      min: 0,
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(TasksStatus);
    const minutes = flags['stale-threshold'];
    const status = await tasksStatus(this.readingDeps(), {
      ...this.place(),
      ...(flags.feature === undefined ? {} : { feature: flags.feature }),
      ...(minutes === undefined ? {} : { staleAfterMinutes: minutes }),
    });
    const board = renderKanban(status, process.stdout.columns ?? DEFAULT_WIDTH);
    const stale =
      status.stale_wps.length === 0
        ? ''
        : `\n\nNo commit for more than ${minutes ?? 0} minutes: ${status.stale_wps.join(', ')}`;
    return this.outcome(status, board + stale);
  }
}
