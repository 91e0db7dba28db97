/** The base of commands that run a workflow service which changes something and tells the team. */
import { ReadingCommand } from './reading-command.ts';
import { createWorkflowDeps } from './workflow-deps.ts';
import type { WorkflowDeps } from './workflow/ports.ts';
import { readWpId } from './workflow/rules/wp-id.ts';

export { featureFlag, given } from './reading-command.ts';

export abstract class WorkflowCommand extends ReadingCommand {
  /** What the services need. */
  protected deps(): WorkflowDeps {
    return createWorkflowDeps(this.invocation());
  }

  /** Names what a failure would be about, for the team. What is no package id is not repeated: it may be anything. */
  protected about(wpId: string, agentId: string | undefined): void {
    const id = readWpId(wpId);
    const agent = agentId?.trim() || this.invocation().env['SPEC_KITTY_AGENT']?.trim();
    this.session().about({ ...(id === undefined ? {} : { wpId: id }), ...(agent ? { agentId: agent } : {}) });
  }
}
