/** `spec-kitty agent tasks list-dependents WP_ID`: who waits for a work package, and what it waits for. */
import * as Args from '@oclif/core/args';

import type { CommandOutcome } from '../../../command.ts';
import { renderListDependents } from '../../../render/task-lists.ts';
import { featureFlag, given, ReadingCommand } from '../../../reading-command.ts';
import { listDependents } from '../../../workflow/services/list-tasks.ts';

export default class ListDependents extends ReadingCommand {
  static override summary = 'Show what a work package waits for, and what waits for it.';
  static override description = 'Reads only; never switches a branch. Works in workspaces too.';
  static override examples = [
    {
      description: 'Before changing a package others build on',
      command: '<%= config.bin %> agent tasks list-dependents WP01',
    },
  ];
  static override args = {
    wp_id: Args.string({ required: true, description: 'The package, e.g. WP01.', ignoreStdin: true }),
  };
  static override flags = {
    feature: featureFlag,
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(ListDependents);
    const result = await listDependents(this.readingDeps(), {
      ...this.place(),
      wpId: args.wp_id,
      ...given({ feature: flags.feature }),
    });
    return this.outcome(result, renderListDependents(result));
  }
}
