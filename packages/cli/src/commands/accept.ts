/** `spec-kitty accept`: checks a finished feature, moves its packages from review to done, and tells the team. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../command.ts';
import { describeFailure } from '../failure.ts';
import { renderAccept, renderChecklist, renderClosedGates } from '../render/accept.ts';
import { featureFlag, given, WorkflowCommand } from '../workflow-command.ts';
import { WorkflowError } from '../workflow/errors.ts';
import { accept, checkAcceptance } from '../workflow/services/accept.ts';
import { NotAcceptable } from '../workflow/services/acceptance-report.ts';

export default class Accept extends WorkflowCommand {
  static override summary = 'Accept a finished feature: its packages in review are done.';
  static override description =
    'Looks whether everything is in order: lanes, package files, activity logs, boxes in tasks.md, documents, uncommitted files. ' +
    'Then moves each package from for_review to done, records the acceptance in meta.json in one commit, and tells the team. ' +
    'While something is not in order it says what, changes nothing, and ends with exit code 1.';
  static override examples = [
    { description: 'See what is missing', command: '<%= config.bin %> accept --mode checklist' },
    {
      description: 'Accept, naming who and how it was checked',
      command: '<%= config.bin %> accept --actor Ada --test "npm test"',
    },
    {
      description: 'Try it in a script',
      command: '<%= config.bin %> accept --feature 004-invoice-export --no-commit --json',
    },
  ];
  static override emits = true;
  static override flags = {
    feature: featureFlag,
    mode: Flags.string({
      description:
        'What the hints afterwards are for: a pull request (pr) or no remote at all (local); auto asks git. checklist only shows what is missing, anywhere, and tells nobody.',
      helpValue: 'auto|pr|local|checklist',
      default: 'auto',
    }),
    actor: Flags.string({
      description: "Who accepts. Default: SPEC_KITTY_AGENT, else git's user.name, else USER or USERNAME, else system.",
      helpValue: 'NAME',
    }),
    test: Flags.string({
      description: 'A command the work was checked with: recorded in meta.json, never run. May be given often.',
      helpValue: 'CMD',
      multiple: true,
      multipleNonGreedy: true,
    }),
    lenient: Flags.boolean({
      description: 'Do not look for lane, agent, assignee and shell_pid in the package files.',
    }),
    'no-commit': Flags.boolean({ description: 'Only say what would be accepted; write and tell nothing.' }),
    'allow-fail': Flags.boolean({
      description:
        'A feature that is not ready is an answer, not an error: still exit code 1, and nothing in the error log.',
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(Accept);
    const isChecklist = flags.mode === 'checklist';
    // A question is nobody else's business, whatever the answer.
    if (isChecklist || flags['no-commit']) this.invocation().emits = false;
    const agentId = flags.actor?.trim() || this.invocation().env['SPEC_KITTY_AGENT']?.trim();
    if (agentId) this.session().about({ agentId });
    const input = {
      ...this.place(),
      mode: flags.mode,
      lenient: flags.lenient,
      commit: !flags['no-commit'],
      tests: flags.test ?? [],
      ...given({ feature: flags.feature, actor: flags.actor }),
    };
    if (isChecklist) {
      const report = await checkAcceptance(this.deps(), input);
      return { ...this.outcome(report, renderChecklist(report)), exitCode: report.ok ? 0 : 1 };
    }
    try {
      const result = await accept(this.deps(), input);
      return { ...this.outcome(result.summary, renderAccept(result)), data: { ...result } };
    } catch (cause) {
      if (!(cause instanceof NotAcceptable)) throw cause;
      return this.#notAcceptable(cause, flags['allow-fail']);
    }
  }

  /** The refusal, or with `--allow-fail` the same facts as an answer: what is thrown is logged for the team. */
  #notAcceptable(refusal: NotAcceptable, isAllowed: boolean): CommandOutcome {
    const { report } = refusal;
    const text = renderClosedGates(report);
    const outcome = this.outcome(report, `${text}\n\n${refusal.message}`);
    if (!isAllowed && this.invocation().json) throw refusal;
    if (!isAllowed) {
      // Above the error, which is short; what helps stands beside what is missing and not below once more.
      this.invocation().say(`${text}\n`);
      throw new WorkflowError(refusal.code, refusal.message, { cause: refusal });
    }
    const { message, code, remedy } = describeFailure(refusal);
    return {
      ...outcome,
      data: { error: message, code, remedy, ...report },
      exitCode: 1,
    };
  }
}
