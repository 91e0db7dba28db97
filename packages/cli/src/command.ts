/**
 * The one base of all commands: parse, call a service, return an outcome. It prints that outcome as text, or as
 * exactly one JSON document under `--json`, and answers a failure the same way.
 */
import { Command } from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';

import { describeFailure } from './failure.ts';
import { currentInvocation, type Invocation } from './invocation.ts';
import { type CommandSession, createSession } from './session.ts';

/** What a command answers: the same facts twice, and how it went. */
export interface CommandOutcome {
  /** The document under `--json`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The same for people. */
  readonly text: string;
  /** Default 0. */
  readonly exitCode?: number;
}

export abstract class SpecKittyCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'Print one JSON document and nothing else.', helpGroup: 'GLOBAL' }),
    debug: Flags.boolean({ description: 'Say on stderr what goes on inside.', helpGroup: 'GLOBAL' }),
  };

  /** True for commands that tell the team about their work: they show the link state and log their failures. */
  static emits = false;

  /** Does the work. Throws a refusal, or whatever went wrong. */
  protected abstract work(): Promise<CommandOutcome>;

  /** Events, sync and warnings of this run. */
  protected session(): CommandSession {
    return createSession(this.invocation());
  }

  /** The run this command belongs to. */
  protected invocation(): Invocation {
    return currentInvocation();
  }

  /** Called by the framework. */
  override async run(): Promise<void> {
    const outcome = await this.work();
    const invocation = this.invocation();
    invocation.exitCode = outcome.exitCode ?? 0;
    invocation.succeed(outcome.data, outcome.text);
  }

  /** Answers before the hooks run, so that the error stands above the link state and delivery delays nobody. */
  protected override async catch(error: Error): Promise<void> {
    const command = [this.config.bin, ...(this.id ?? '').split(':')].join(' ').trim();
    this.invocation().fail(describeFailure(error, command), error);
    throw error;
  }

  // The framework's own JSON mode would print a second document.
  override jsonEnabled(): boolean {
    return false;
  }
}
