/**
 * The base of commands that run a workflow service, with what those need that only read: git, and what time it is. It
 * loads nothing of the library; commands that change and tell something extend {@link WorkflowCommand}.
 */
import * as Flags from '@oclif/core/flags';

import { type CommandOutcome, SpecKittyCommand } from './command.ts';
import { retyper } from './command-line.ts';
import { createGit } from './workflow/git/git.ts';
import type { Git, Place } from './workflow/ports.ts';

/** `--feature`, as commands on a feature take it. */
export const featureFlag = Flags.string({
  char: 'f',
  description: 'The feature. Default: found from branch and folder.',
  helpValue: 'SLUG',
});

export abstract class ReadingCommand extends SpecKittyCommand {
  /** What a service that only reads needs. */
  protected readingDeps(): { readonly git: Git; readonly time: { now(): number } } {
    return { git: createGit(this.invocation().env), time: { now: () => Date.now() } };
  }

  /** Where the command runs. */
  protected place(): Place {
    const invocation = this.invocation();
    return { cwd: invocation.cwd(), env: invocation.env, retype: retyper(this.config.bin, this.id ?? '', this.argv) };
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
