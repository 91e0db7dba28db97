/** `spec-kitty sync reconcile`: tells the team what changed without any command. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../command.ts';
import { renderReconcile } from '../../render/reconcile.ts';
import { given, WorkflowCommand } from '../../workflow-command.ts';
import { reconcile } from '../../workflow/services/reconcile.ts';

export default class SyncReconcile extends WorkflowCommand {
  static override summary = 'Tell the team of lanes that changed without a command.';
  static override description =
    'After a pull, a revert or an edit by hand: what this clone last told of each feature is held against its files, and ' +
    'the difference is recorded. Features from before the first sync are announced. Commits nothing. ' +
    'Features whose target branch is not checked out are left alone.';
  static override examples = [
    { description: 'Bring the board up to date', command: '<%= config.bin %> sync reconcile' },
    { description: 'Only look', command: '<%= config.bin %> sync reconcile --dry-run' },
    {
      description: 'Tell everything again, to another server or after a lost home',
      command: '<%= config.bin %> sync reconcile --all --json',
    },
  ];
  static override emits = true;
  static override flags = {
    feature: Flags.string({
      char: 'f',
      description: 'Only this feature. Default: every one whose target branch is checked out.',
      helpValue: 'SLUG',
    }),
    'dry-run': Flags.boolean({ description: 'Show; change and tell nothing.' }),
    all: Flags.boolean({ description: 'Tell everything again, as if nothing had been told.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(SyncReconcile);
    const result = await reconcile(this.deps(), {
      ...this.place(),
      dryRun: flags['dry-run'],
      all: flags.all,
      ...given({ feature: flags.feature }),
    });
    const { data, text } = this.outcome(result, renderReconcile(result));
    if (!this.invocation().json) {
      for (const warning of result.features.flatMap(({ warnings }) => warnings)) {
        this.session().warn('workflow', warning);
      }
    }
    return { data, text };
  }
}
