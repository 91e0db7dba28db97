/** `spec-kitty agent feature finalize-tasks`: settles dependencies, commits the task files, announces the feature. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderFinalizeTasks } from '../../../render/workflow.ts';
import { featureFlag, WorkflowCommand } from '../../../workflow-command.ts';
import { finalizeTasks } from '../../../workflow/services/finalize-tasks.ts';

export default class FinalizeTasks extends WorkflowCommand {
  static override summary = 'Settle the dependencies of the work packages, commit them, and announce the feature.';
  static override description =
    'What tasks.md declares wins over the files of the packages; where it declares nothing, the files keep theirs. ' +
    'A run that finds nothing new announces nothing.';
  static override examples = [
    { description: 'Finish planning', command: '<%= config.bin %> agent feature finalize-tasks' },
    {
      description: 'Only look',
      command: '<%= config.bin %> agent feature finalize-tasks --feature 004-invoice-export --dry-run',
    },
  ];
  static override emits = true;
  static override flags = {
    feature: featureFlag,
    'dry-run': Flags.boolean({ description: 'Check and show; change and announce nothing.' }),
    emit: Flags.boolean({ description: 'Announce again although nothing changed.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(FinalizeTasks);
    const result = await finalizeTasks(this.deps(), {
      ...this.place(),
      dryRun: flags['dry-run'],
      emit: flags.emit,
      ...(flags.feature === undefined ? {} : { feature: flags.feature }),
    });
    return this.outcome(result, renderFinalizeTasks(result));
  }
}
