/** `spec-kitty agent tasks list-tasks`: the work packages of a feature, one a line. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderListTasks } from '../../../render/task-lists.ts';
import { featureFlag, given, ReadingCommand } from '../../../reading-command.ts';
import { listTasks } from '../../../workflow/services/list-tasks.ts';

export default class ListTasks extends ReadingCommand {
  static override summary = 'List the work packages of a feature.';
  static override description = 'Reads only; never switches a branch. Works in workspaces too.';
  static override examples = [
    { description: 'All of them', command: '<%= config.bin %> agent tasks list-tasks' },
    {
      description: 'What can be taken up',
      command: '<%= config.bin %> agent tasks list-tasks --lane planned --json',
    },
  ];
  static override flags = {
    feature: featureFlag,
    lane: Flags.string({ description: 'Only this lane: planned, doing, for_review or done.', helpValue: 'LANE' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(ListTasks);
    const result = await listTasks(this.readingDeps(), {
      ...this.place(),
      ...given({ feature: flags.feature, lane: flags.lane }),
    });
    return this.outcome(result, renderListTasks(result));
  }
}
