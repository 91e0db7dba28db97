/** `spec-kitty agent tasks scaffold`: writes work packages from titles or from a tasks.md, committed. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { UsageError } from '../../../failure.ts';
import { renderScaffold } from '../../../render/workflow.ts';
import { featureFlag, WorkflowCommand } from '../../../workflow-command.ts';
import { scaffold } from '../../../workflow/services/scaffold.ts';

export default class Scaffold extends WorkflowCommand {
  static override summary = 'Write the work packages of a feature. Never overwrites.';
  static override examples = [
    {
      description: 'Two packages, the second after the first',
      command: '<%= config.bin %> agent tasks scaffold --wp "CSV writer" --wp "Scheduling:WP01"',
    },
    {
      description: 'From a list',
      command: '<%= config.bin %> agent tasks scaffold --from kitty-specs/004-invoice-export/tasks.md',
    },
  ];
  static override flags = {
    feature: featureFlag,
    wp: Flags.string({
      description: 'A package: its title, and after a colon what it waits for (ids or positions). May be given often.',
      helpValue: '"TITLE:DEP,DEP"',
      multiple: true,
      multipleNonGreedy: true,
    }),
    from: Flags.string({ description: 'A tasks.md to read the packages from.', helpValue: 'PATH' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(Scaffold);
    if ((flags.wp === undefined) === (flags.from === undefined)) {
      throw new UsageError(
        'Name the packages in one way.',
        'Give either --wp "Title" (as often as needed) or --from tasks.md.',
      );
    }
    const result = await scaffold(this.deps(), {
      ...this.place(),
      ...(flags.feature === undefined ? {} : { feature: flags.feature }),
      ...(flags.wp === undefined ? {} : { wps: flags.wp }),
      ...(flags.from === undefined ? {} : { from: flags.from }),
    });
    return this.outcome(result, renderScaffold(result));
  }
}
