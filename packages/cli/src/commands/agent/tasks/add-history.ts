/** `spec-kitty agent tasks add-history WP_ID --note TEXT`: one line in a package's activity log. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderAddHistory } from '../../../render/tasks.ts';
import { featureFlag, given, WorkflowCommand } from '../../../workflow-command.ts';
import { addHistory, HISTORY_TYPES } from '../../../workflow/services/add-history.ts';

export default class AddHistory extends WorkflowCommand {
  static override summary = "Add a line to a package's activity log.";
  static override description = 'The line is committed, and the team sees it on the board. The lane stays.';
  static override examples = [
    {
      description: 'Say what was decided',
      command: '<%= config.bin %> agent tasks add-history WP01 --note "Chose RFC 4180 quoting"',
    },
    {
      description: 'Report a problem, as an agent',
      command:
        '<%= config.bin %> agent tasks add-history WP01 --note "Fixture server is down" --type error --agent claude --json',
    },
  ];
  static override emits = true;
  static override args = {
    task_id: Args.string({ required: true, description: 'The package, e.g. WP01.', ignoreStdin: true }),
  };
  static override flags = {
    note: Flags.string({ required: true, description: 'What the line says.', helpValue: 'TEXT' }),
    type: Flags.option({ options: HISTORY_TYPES, default: 'note' as const, description: 'What it is about.' })(),
    feature: featureFlag,
    agent: Flags.string({
      description: "Who says it. Default: SPEC_KITTY_AGENT, else the package's agent.",
      helpValue: 'NAME',
    }),
    'shell-pid': Flags.integer({ description: 'Process that does the work, for the log.', helpValue: 'PID' }),
    'auto-commit': Flags.boolean({ description: 'Commit the change.', default: true, allowNo: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args, flags } = await this.parse(AddHistory);
    this.about(args.task_id, flags.agent);
    const result = await addHistory(this.deps(), {
      ...this.place(),
      wpId: args.task_id,
      note: flags.note,
      type: flags.type,
      autoCommit: flags['auto-commit'],
      ...given({ feature: flags.feature, agent: flags.agent, shellPid: flags['shell-pid'] }),
    });
    return this.outcome(result, renderAddHistory(result));
  }
}
