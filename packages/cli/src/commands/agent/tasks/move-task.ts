/** `spec-kitty agent tasks move-task WP_ID --to LANE`: moves a package to another lane. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderMoveTask } from '../../../render/tasks.ts';
import { featureFlag, given, WorkflowCommand } from '../../../workflow-command.ts';
import { moveTask } from '../../../workflow/services/move-task.ts';

export default class MoveTask extends WorkflowCommand {
  static override summary = 'Move a work package to another lane.';
  static override description =
    'Lanes: planned, doing, for_review, done. To for_review and done, the subtasks must be checked and the workspace committed and up to date; ' +
    'back from review to planned needs the feedback. Works from the main checkout and from any workspace; the file is changed and committed in the main checkout.';
  static override examples = [
    {
      description: 'Hand work over for review',
      command: '<%= config.bin %> agent tasks move-task WP01 --to for_review',
    },
    {
      description: 'Approve it, as another agent',
      command: '<%= config.bin %> agent tasks move-task WP01 --to done --agent codex --note "All tests pass"',
    },
    {
      description: 'Send it back with what has to change',
      command: '<%= config.bin %> agent tasks move-task WP01 --to planned --review-feedback-file feedback.md',
    },
  ];
  static override emits = true;
  static override args = {
    task_id: Args.string({ required: true, description: 'The package, e.g. WP01.', ignoreStdin: true }),
  };
  static override flags = {
    to: Flags.string({ required: true, description: 'planned, doing, for_review or done.', helpValue: 'LANE' }),
    feature: featureFlag,
    agent: Flags.string({
      description: "Who moves it. Default: SPEC_KITTY_AGENT, else the package's agent.",
      helpValue: 'NAME',
    }),
    assignee: Flags.string({ description: 'The person responsible.', helpValue: 'NAME' }),
    'shell-pid': Flags.integer({ description: 'Process that does the work, for the log.', helpValue: 'PID' }),
    note: Flags.string({ description: 'What the log says. A move from doing to done needs one.', helpValue: 'TEXT' }),
    'review-feedback-file': Flags.string({
      description: "What has to change; becomes the package's review feedback.",
      helpValue: 'FILE',
    }),
    reviewer: Flags.string({ description: 'Who reviewed. Default: the agent, else you.', helpValue: 'NAME' }),
    force: Flags.boolean({ description: 'Any lane to any lane, without the guards.' }),
    'auto-commit': Flags.boolean({ description: 'Commit the change.', default: true, allowNo: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(MoveTask);
    this.about(args.task_id, flags.agent);
    const result = await moveTask(this.deps(), {
      ...this.place(),
      wpId: args.task_id,
      to: flags.to,
      force: flags.force,
      autoCommit: flags['auto-commit'],
      callerPid: process.ppid,
      ...given({
        feature: flags.feature,
        agent: flags.agent,
        assignee: flags.assignee,
        shellPid: flags['shell-pid'],
        note: flags.note,
        reviewFeedbackFile: flags['review-feedback-file'],
        reviewer: flags.reviewer,
      }),
    });
    return this.outcome(result, renderMoveTask(result));
  }
}
