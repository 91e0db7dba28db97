/** `spec-kitty merge`: brings the work of a feature's packages to its target branch. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../command.ts';
import { UsageError } from '../failure.ts';
import { renderAbort, renderMerge, renderMergePlan } from '../render/merge.ts';
import { featureFlag, WorkflowCommand } from '../workflow-command.ts';
import { abortMerge } from '../workflow/services/abort-merge.ts';
import { merge, resumeMerge } from '../workflow/services/merge.ts';
import type { MergeInput } from '../workflow/services/merge-begin.ts';
import { planMerge } from '../workflow/services/plan-merge.ts';

/** What a merge is begun with, and keeps to its end. */
const NEW_MERGE_ONLY = ['feature', 'target', 'strategy', 'push', 'keep-branch', 'keep-worktree'] as const;

export default class Merge extends WorkflowCommand {
  static override summary = 'Merge the work of a feature into its target branch.';
  static override description =
    'Merges the branch of every package, each after those it waits for, moves what was in doing to for_review, and tells the team. ' +
    'Workspaces and branches are removed afterwards. After a conflict or a failure, go on with --resume or give it up with --abort.';
  static override examples = [
    { description: 'Look first', command: '<%= config.bin %> merge --dry-run' },
    {
      description: 'Merge, and push the result',
      command: '<%= config.bin %> merge --feature 004-invoice-export --push',
    },
    { description: 'Go on after a conflict', command: '<%= config.bin %> merge --resume' },
  ];
  static override emits = true;
  static override flags = {
    feature: featureFlag,
    target: Flags.string({ description: "Branch to merge into. Default: the feature's.", helpValue: 'BRANCH' }),
    strategy: Flags.option({
      options: ['merge', 'squash'] as const,
      description: 'A merge commit for each package (the default), or one commit with all its work.',
    })(),
    push: Flags.boolean({ description: 'Push the target branch afterwards.' }),
    'dry-run': Flags.boolean({ description: 'Show order, commands and expected conflicts; change nothing.' }),
    'keep-branch': Flags.boolean({ description: 'Keep the branches of the packages.' }),
    'keep-worktree': Flags.boolean({ description: 'Keep the workspaces, and with them their branches.' }),
    resume: Flags.boolean({
      description: 'Go on with the merge that stopped, as it was begun.',
      exclusive: ['abort', 'dry-run'],
    }),
    abort: Flags.boolean({
      description: 'Give up the merge that stopped; what is merged stays.',
      exclusive: ['dry-run'],
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(Merge);
    const extra = NEW_MERGE_ONLY.find((name) => flags[name] !== undefined && flags[name] !== false);
    if ((flags.resume || flags.abort) && extra !== undefined) {
      // Said here: the framework would draw every flag as an alternative to every other in the usage line.
      throw new UsageError(`--${extra} belongs to a new merge; this one goes on as it was begun.`);
    }
    if (flags.abort) {
      const result = await abortMerge(this.deps(), this.place());
      return this.outcome(result, renderAbort(result));
    }
    if (flags.resume) {
      const result = await resumeMerge(this.deps(), this.place());
      return this.outcome(result, renderMerge(result));
    }
    const input: MergeInput = {
      ...this.place(),
      push: flags.push,
      keepBranch: flags['keep-branch'],
      keepWorktree: flags['keep-worktree'],
      ...(flags.feature === undefined ? {} : { feature: flags.feature }),
      ...(flags.strategy === undefined ? {} : { strategy: flags.strategy }),
      ...(flags.target === undefined ? {} : { target: flags.target }),
    };
    if (flags['dry-run']) {
      const plan = await planMerge(this.deps(), input);
      return this.outcome(plan, renderMergePlan(plan));
    }
    const result = await merge(this.deps(), input);
    return this.outcome(result, renderMerge(result));
  }
}
