/** The framework's help, with two differences: `--json` gives one document, and unknown words get our own answer. */
import { Help } from '@oclif/core/help';

import { currentInvocation } from './invocation.ts';
import { unknownCommand } from './unknown-command.ts';

export class SpecKittyHelp extends Help {
  readonly #lines: string[] = [];

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
    // oxlint-disable-next-line no-control-regex -- colours are control characters
    currentInvocation().succeed({ help: help.replaceAll(/\u001B\[[\d;]*m/g, '') }, help);
  }

  protected override log(...args: string[]): void {
    this.#lines.push(...args);
  }
}
