/** `spec-kitty agent tasks mark-status ID... --status done`: checks subtasks off, or moves packages. */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../../../command.ts';
import { renderMarkStatus } from '../../../render/tasks.ts';
import { featureFlag, given, WorkflowCommand } from '../../../workflow-command.ts';
import { markStatus } from '../../../workflow/services/mark-status.ts';

export default class MarkStatus extends WorkflowCommand {
  static override summary = 'Check subtasks off in tasks.md, or move packages.';
  static override description =
    'Subtask ids (T001) check or clear boxes; a planned package whose first box is checked moves to doing. ' +
    'Package ids (WP01) move packages the way move-task does, with its guards; pending means planned.';
  static override examples = [
    {
      description: 'Two subtasks are done',
      command: '<%= config.bin %> agent tasks mark-status T001 T002 --status done',
    },
    { description: 'One was not', command: '<%= config.bin %> agent tasks mark-status T002 --status pending --json' },
    {
      description: 'Two packages are ready for review',
      command: '<%= config.bin %> agent tasks mark-status WP01 WP02 --status for_review',
    },
  ];
  static override emits = true;
  static override strict = false;
  static override args = {
    ids: Args.string({ required: true, description: 'Subtasks like T001, or packages like WP01.', ignoreStdin: true }),
  };
  static override flags = {
    status: Flags.string({
      required: true,
      description: 'done or pending; for packages also planned, doing, for_review.',
      helpValue: 'STATUS',
    }),
    feature: featureFlag,
    wp: Flags.string({
      description: 'The package a subtask belongs to, where its id stands in several.',
      helpValue: 'WP_ID',
    }),
    agent: Flags.string({
      description: "Who did it. Default: SPEC_KITTY_AGENT, else the package's agent.",
      helpValue: 'NAME',
    }),
    note: Flags.string({ description: 'For packages: what the log says.', helpValue: 'TEXT' }),
    force: Flags.boolean({ description: 'For packages: without the guards.' }),
    'auto-commit': Flags.boolean({ description: 'Commit the change.', default: true, allowNo: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { argv, flags } = await this.parse(MarkStatus);
    const ids = argv.map(String);
    this.about(ids.length === 1 ? (ids[0] ?? '') : '', flags.agent);
    const result = await markStatus(this.deps(), {
      ...this.place(),
      ids,
      status: flags.status,
      force: flags.force,
      autoCommit: flags['auto-commit'],
      callerPid: process.ppid,
      ...given({ feature: flags.feature, wp: flags.wp, agent: flags.agent, note: flags.note }),
    });
    return this.outcome(result, renderMarkStatus(result));
  }
}
