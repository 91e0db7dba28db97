/** The base of commands that run a workflow service: one place for what they share, so that each is parse, call, render. */
import { type CommandOutcome, SpecKittyCommand } from './command.ts';
import { retyper } from './command-line.ts';
import { createWorkflowDeps } from './workflow-deps.ts';
import type { Place, WorkflowDeps } from './workflow/ports.ts';
import { readWpId } from './workflow/rules/wp-id.ts';

export abstract class WorkflowCommand extends SpecKittyCommand {
  /** What the services need. */
  protected deps(): WorkflowDeps {
    return createWorkflowDeps(this.invocation());
  }

  /** Where the command runs. */
  protected place(): Place {
    const invocation = this.invocation();
    return { cwd: invocation.cwd(), env: invocation.env, retype: retyper(this.config.bin, this.id ?? '', this.argv) };
  }

  /** Names what a failure would be about, for the team. What is no package id is not repeated: it may be anything. */
  protected about(wpId: string, agentId: string | undefined): void {
    const id = readWpId(wpId);
    const agent = agentId?.trim() || this.invocation().env['SPEC_KITTY_AGENT']?.trim();
    this.session().about({ ...(id === undefined ? {} : { wpId: id }), ...(agent ? { agentId: agent } : {}) });
  }

  /** The outcome of a service whose result is its document. Its warnings go to stderr, or stay in the document under `--json`. */
  protected outcome(result: object & { readonly warnings?: readonly string[] }, text: string): CommandOutcome {
    if (!this.invocation().json) for (const warning of result.warnings ?? []) this.session().warn('workflow', warning);
    return { data: { ...result }, text };
  }
}

/** The flags that were given: an option that was not has to be absent, not undefined. */
export function given<T extends object>(flags: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Filtered right here.
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
