/** `spec-kitty agent workflow review WP_ID`: takes up a review and prints what its agent needs to know. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { reviewPrompt } from '../../../render/prompts.ts';
import { featureFlag, given, WorkflowCommand } from '../../../workflow-command.ts';
import { workflowReview } from '../../../workflow/services/workflow-review.ts';

export default class WorkflowReview extends WorkflowCommand {
  static override summary = 'Take up the review of a work package and print the prompt for its agent.';
  static override description =
    'For a package in for_review, which is where it stays. Notes the review in its log, tells the team who reviews, and prints ' +
    'the commits to look at, the text of the package, and what to type to approve or reject.';
  static override examples = [
    { description: 'Review a package', command: '<%= config.bin %> agent workflow review WP01 --agent codex' },
  ];
  static override emits = true;
  static override args = {
    wp_id: Args.string({ required: true, description: 'The package, e.g. WP01.', ignoreStdin: true }),
  };
  static override flags = {
    feature: featureFlag,
    agent: Flags.string({ description: 'Who reviews. Default: SPEC_KITTY_AGENT, else user.', helpValue: 'NAME' }),
    'shell-pid': Flags.integer({
      description: 'Process that reviews, for the log. Default: the one that runs this command.',
      helpValue: 'PID',
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(WorkflowReview);
    this.about(args.wp_id, flags.agent);
    const { result, order } = await workflowReview(this.deps(), {
      ...this.place(),
      wpId: args.wp_id,
      ...given({ feature: flags.feature, agent: flags.agent }),
      shellPid: flags['shell-pid'] ?? process.ppid,
    });
    const prompt = reviewPrompt(result, order);
    const { data, text } = this.outcome(result, prompt);
    return { data: { ...data, prompt }, text };
  }
}
