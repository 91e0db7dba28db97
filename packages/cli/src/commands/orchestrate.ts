/** `spec-kitty orchestrate`: runs a feature's packages with coding agents. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../command.ts';
import { Refusal, UsageError } from '../failure.ts';
import { hostDelivery } from '../host-delivery.ts';
import { createRunDeps } from '../orchestrate-deps.ts';
import { askYesNo, canPrompt } from '../prompt.ts';
import { renderAbort, renderRunPlan, renderRunStatus, renderRunSummary } from '../render/orchestrate.ts';
import { createRunDisplay } from '../run-display.ts';
import { given, WorkflowCommand } from '../workflow-command.ts';
import { abort } from '../workflow/orchestrate/abort-run.ts';
import { planOfRun, resume, startRun, statusOfRun } from '../workflow/orchestrate/orchestrate.ts';
import type { OrchestrateInput } from '../workflow/orchestrate/prepare-run.ts';
import type { RunSummary } from '../workflow/orchestrate/run-change.ts';
import type { RunDeps } from '../workflow/orchestrate/run-deps.ts';

/** After Ctrl-C: the agents get five seconds to end, and the last events a moment to leave. */
const GRACE_MS = 15_000;
const LAST_DELIVERY_MS = 2_000;

export default class Orchestrate extends WorkflowCommand {
  static override summary =
    'Run the packages of a feature with coding agents: implement, review, rework, until all are done.';
  static override description =
    'Packages run in parallel, in the order of their dependencies; another agent reviews than the one that implemented. ' +
    'A failing agent is retried, then replaced; when nobody is left the run pauses and says how to go on. ' +
    'Ctrl-C ends the agents and pauses; a second one leaves at once. Which agents may run: `agents` in .kittify/config.yaml. ' +
    'Exit code 1 when a package failed or the run paused. With --json every line is a document.';
  static override examples = [
    { description: 'See who would do what, and start nothing', command: '<%= config.bin %> orchestrate --plan' },
    {
      description: 'Run a feature; the agents may act without asking',
      command: '<%= config.bin %> orchestrate --feature 004-invoice-export --unattended',
    },
    { description: 'Go on after a pause, a crash or Ctrl-C', command: '<%= config.bin %> orchestrate --resume' },
    { description: 'Try a failed package again', command: '<%= config.bin %> orchestrate --retry WP03' },
    {
      description: 'End the run and remove the workspaces it made',
      command: '<%= config.bin %> orchestrate --abort --cleanup',
    },
  ];
  static override emits = true;
  static override flags = {
    feature: Flags.string({
      char: 'f',
      description: 'The feature. Default: found from branch and folder, and asked for.',
      helpValue: 'SLUG',
    }),
    plan: Flags.boolean({ description: 'Show waves and agents; start nothing.' }),
    status: Flags.boolean({ char: 's', description: 'Show how the run stands.' }),
    resume: Flags.boolean({ char: 'r', description: 'Go on with the run that was paused or cut off.' }),
    retry: Flags.string({ description: 'Go on, and try this failed package again.', helpValue: 'WP_ID' }),
    skip: Flags.string({ description: 'Go on without this failed package.', helpValue: 'WP_ID' }),
    abort: Flags.boolean({ char: 'a', description: 'End the run and forget it; lanes and branches stay.' }),
    cleanup: Flags.boolean({ description: 'With --abort: remove the workspaces this run made.' }),
    implementer: Flags.string({
      aliases: ['impl-agent'],
      description: 'The agent to prefer for implementing.',
      helpValue: 'AGENT',
    }),
    reviewer: Flags.string({
      aliases: ['review-agent'],
      description: 'The agent to prefer for reviewing.',
      helpValue: 'AGENT',
    }),
    unattended: Flags.boolean({
      aliases: ['yolo'],
      description: 'Agents may run commands and change files without asking anybody.',
    }),
    'allow-custom-agents': Flags.boolean({
      description: 'Run the agent programs this repository describes (agents.custom). Look at them first.',
      env: 'SPEC_KITTY_ALLOW_CUSTOM_AGENTS',
    }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask whether the feature that was found is meant.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const invocation = this.invocation();
    const { flags } = await this.parse(Orchestrate);
    const modes = [flags.plan, flags.status, flags.resume, flags.retry, flags.skip, flags.abort].filter(
      (mode) => mode !== undefined && mode !== false,
    );
    if (modes.length > 1)
      throw new UsageError('Only one of --plan, --status, --resume, --retry, --skip, --abort at a time.');
    if (flags.cleanup && !flags.abort) throw new UsageError('--cleanup goes with --abort.');

    const input: OrchestrateInput = {
      ...this.place(),
      unattended: flags.unattended,
      allowCustomAgents: flags['allow-custom-agents'],
      ...given({ feature: flags.feature, implementer: flags.implementer, reviewer: flags.reviewer }),
    };
    const quiet = createRunDeps(invocation, (change) => {
      if (change.kind === 'warning' && !invocation.json) this.session().warn('orchestrate', change.message);
    });
    if (flags.plan) {
      const plan = await planOfRun(quiet, input);
      return this.outcome(plan, renderRunPlan(plan));
    }
    if (flags.status) {
      const status = await statusOfRun(quiet, input);
      return { data: status === undefined ? { run: null } : { ...status }, text: renderRunStatus(status) };
    }
    if (flags.abort) {
      const aborted = await abort(quiet, { ...input, cleanup: flags.cleanup });
      return this.outcome(aborted, renderAbort(aborted));
    }
    const isStart = modes.length === 0;
    if (isStart && flags.feature === undefined && !flags.yes) await this.confirm(input, quiet);
    invocation.isStream = true;
    return this.carryOut(
      isStart
        ? (deps) => startRun(deps, input)
        : (deps) => resume(deps, { ...input, ...given({ retry: flags.retry, skip: flags.skip }) }),
    );
  }

  /** Runs it in front of a display, with delivery in the background. */
  private async carryOut(run: (deps: RunDeps) => Promise<RunSummary>): Promise<CommandOutcome> {
    const invocation = this.invocation();
    invocation.graceMs = GRACE_MS;
    const stopDelivery = hostDelivery(this.session(), 'orchestrate');
    const display = await createRunDisplay(invocation);
    try {
      const summary = await run(
        createRunDeps(invocation, (change) => {
          display.tell(change);
        }),
      );
      return {
        data: { time: new Date().toISOString(), kind: 'ended', ...summary },
        text: renderRunSummary(summary),
        exitCode: summary.status === 'completed' && summary.failed === 0 ? 0 : 1,
      };
    } finally {
      display.close();
      await stopDelivery(LAST_DELIVERY_MS);
    }
  }

  /** Agents cost money and change files: a feature that was only found is asked about. */
  private async confirm(input: OrchestrateInput, deps: RunDeps): Promise<void> {
    const plan = await planOfRun(deps, input);
    const packages = plan.waves.flat().length;
    const agents = plan.agents.map(({ id }) => id).join(', ');
    if (!canPrompt())
      throw new UsageError(
        `${plan.feature} was found; say that it is the one.`,
        `spec-kitty orchestrate --feature ${plan.feature}   (or: --yes)`,
      );
    const isMeant = await askYesNo(`Run ${packages} packages of ${plan.feature} with ${agents}?`);
    if (!isMeant) throw new Refusal('declined', 'Nothing was started.');
  }
}
