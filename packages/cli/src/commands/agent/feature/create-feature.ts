/** `spec-kitty agent feature create-feature SLUG`: a numbered feature directory, committed. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderCreateFeature } from '../../../render/workflow.ts';
import { WorkflowCommand } from '../../../workflow-command.ts';
import { createFeature } from '../../../workflow/services/create-feature.ts';

export default class CreateFeature extends WorkflowCommand {
  static override summary = 'Create a numbered feature with its spec, plan and facts.';
  static override description =
    'Commits them on the branch that is checked out. The team hears of the feature when finalize-tasks has run.';
  static override examples = [
    { description: 'Create one', command: '<%= config.bin %> agent feature create-feature invoice-export' },
    {
      description: 'With a title of its own',
      command: '<%= config.bin %> agent feature create-feature invoice-export --title "Export invoices" --json',
    },
  ];
  static override args = {
    slug: Args.string({
      required: true,
      description: 'Lower-case words joined by hyphens, without a number.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    title: Flags.string({ description: 'Default: made from the slug.', helpValue: 'TEXT' }),
    'target-branch': Flags.string({
      description: 'Where finished work goes. Default: the present branch.',
      helpValue: 'BRANCH',
    }),
    mission: Flags.string({
      description: 'software-dev, research or documentation. Default: software-dev.',
      helpValue: 'NAME',
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(CreateFeature);
    const result = await createFeature(this.deps(), {
      ...this.place(),
      slug: args.slug,
      ...(flags.title === undefined ? {} : { title: flags.title }),
      ...(flags['target-branch'] === undefined ? {} : { targetBranch: flags['target-branch'] }),
      ...(flags.mission === undefined ? {} : { mission: flags.mission }),
    });
    return this.outcome(result, renderCreateFeature(result));
  }
}
