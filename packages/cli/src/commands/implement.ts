/** `spec-kitty implement WP_ID`: gives a work package a workspace and claims it. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../command.ts';
import { renderImplement } from '../render/workflow.ts';
import { featureFlag, given, WorkflowCommand } from '../workflow-command.ts';
import { implement } from '../workflow/services/implement.ts';

export default class Implement extends WorkflowCommand {
  static override summary = 'Start a work package: make its workspace and claim it.';
  static override description =
    'Makes a git worktree below .worktrees/ on a branch of its own, moves the package from planned to doing in one commit, and tells the team. ' +
    'A workspace already there is reused.';
  static override examples = [
    { description: 'Start the first package', command: '<%= config.bin %> implement WP01' },
    {
      description: 'Build on another package, as an agent',
      command: '<%= config.bin %> implement WP03 --base WP01 --agent claude --json',
    },
  ];
  static override emits = true;
  static override args = {
    wp_id: Args.string({ required: true, description: 'The package, e.g. WP01.', ignoreStdin: true }),
  };
  static override flags = {
    base: Flags.string({ description: "Build on this package's branch.", helpValue: 'WP_ID' }),
    feature: featureFlag,
    agent: Flags.string({ description: 'Who works on it. Default: SPEC_KITTY_AGENT, else user.', helpValue: 'NAME' }),
    'shell-pid': Flags.integer({
      description: 'Process that does the work, for the log. Default: the one that runs this command.',
      helpValue: 'PID',
    }),
    force: Flags.boolean({ description: "Take the target branch as base where a done dependency's branch is gone." }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(Implement);
    this.about(args.wp_id, flags.agent);
    const result = await implement(this.deps(), {
      ...this.place(),
      wpId: args.wp_id,
      force: flags.force,
      ...given({ base: flags.base, feature: flags.feature, agent: flags.agent }),
      shellPid: flags['shell-pid'] ?? process.ppid,
    });
    return this.outcome(result, renderImplement(result));
  }
}
