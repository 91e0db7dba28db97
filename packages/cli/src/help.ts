/**
 * The framework's help, with three differences: `--json` gives one document, unknown words get our own answer, and on a
 * terminal it is no wider than that, where the framework knows only a fixed width.
 */
import { Help } from '@oclif/core/help';
import type { Interfaces } from '@oclif/core';

import { currentInvocation } from './invocation.ts';
import { fold } from './render/fold.ts';
import { unknownCommand } from './unknown-command.ts';

/** Wider lines are hard to read. */
const MAX_WIDTH = 120;
/** Below it nothing can be laid out; the terminal then breaks the lines. */
const MIN_WIDTH = 40;

export class SpecKittyHelp extends Help {
  readonly #lines: string[] = [];

  constructor(config: Interfaces.Config, options: Partial<Interfaces.HelpOptions> = {}) {
    super(config, { ...options, maxWidth: helpWidth() });
  }

  override async showHelp(argv: string[]): Promise<void> {
    const words = argv.filter((word) => word !== '--json' && word !== '--debug');
    try {
      await super.showHelp(words);
    } catch (error) {
      const subject = /^Command (?<id>.+) not found\.$/.exec(error instanceof Error ? error.message : '')?.groups?.[
        'id'
      ];
      throw subject === undefined ? error : unknownCommand(subject, this.config.commandIDs, this.config.bin);
    }
    const help = this.#lines.join('\n').trim();
    // The framework folds neither the first line nor, to the letter, what stands below a flag. Off a terminal nobody minds.
    const folded = this.opts.maxWidth < MAX_WIDTH ? fold(help, this.opts.maxWidth) : help;
    // oxlint-disable-next-line no-control-regex -- colours are control characters
    currentInvocation().succeed({ help: help.replaceAll(/\u001B\[[\d;]*m/g, '') }, folded);
  }

  protected override log(...args: string[]): void {
    this.#lines.push(...args);
  }
}

/** As wide as the terminal; a pipe and `--json` get the same text everywhere. */
function helpWidth(): number {
  // Off a terminal there is none, whatever its type says.
  const columns: number | undefined = process.stdout.columns;
  if (currentInvocation().json || columns === undefined || columns <= 0) return MAX_WIDTH;
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns));
}
