/** `spec-kitty agent workflow implement WP_ID`: claims a package and prints what its agent needs to know. */
import type { CommandOutcome } from '../../../command.ts';
import { implementPrompt } from '../../../render/prompts.ts';
import { given } from '../../../workflow-command.ts';
import { workflowImplement } from '../../../workflow/services/workflow-implement.ts';
import Implement from '../../implement.ts';

export default class WorkflowImplement extends Implement {
  static override summary = 'Start a work package and print the prompt for its agent.';
  static override description =
    'Does what `implement` does: workspace, claim, event. Then prints where to work, the text of the package, and what to ' +
    'type when it is finished. Run again, it prints the prompt of the workspace that is there.';
  static override examples = [
    {
      description: 'Take up a package',
      command: '<%= config.bin %> agent workflow implement WP01 --agent claude',
    },
  ];

  // Own members: the framework does not look at inherited ones when it parses, nor further up when it writes its manifest.
  static override baseFlags = Implement.baseFlags;
  static override args = Implement.args;
  static override flags = Implement.flags;

  protected override async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(WorkflowImplement);
    this.about(args.wp_id, flags.agent);
    const { result, order } = await workflowImplement(this.deps(), {
      ...this.place(),
      wpId: args.wp_id,
      force: flags.force,
      ...given({ base: flags.base, feature: flags.feature, agent: flags.agent }),
      shellPid: flags['shell-pid'] ?? process.ppid,
    });
    const prompt = implementPrompt(result, order);
    const { data, text } = this.outcome(result, prompt);
    return { data: { ...data, prompt }, text };
  }
}
