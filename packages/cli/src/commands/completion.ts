/** `spec-kitty completion SHELL`: the script that teaches a shell to complete our commands. */
import * as Args from '@oclif/core/args';

import { type CommandOutcome, SpecKittyCommand } from '../command.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { completionTable } from '../completion/table.ts';
import { zshCompletion } from '../completion/zsh.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof SHELLS;

export default class Completion extends SpecKittyCommand {
  static override summary = 'Print a script that completes commands and flags in your shell.';
  static override description =
    'The script is complete in itself: pressing Tab starts no program. Print it again after an update, or let your ' +
    'shell do so at its start, as in the examples.';
  static override examples = [
    { description: 'bash, in ~/.bashrc', command: 'source <(<%= config.bin %> completion bash)' },
    { description: 'zsh, in ~/.zshrc behind compinit', command: 'source <(<%= config.bin %> completion zsh)' },
    { description: 'fish, in config.fish', command: '<%= config.bin %> completion fish | source' },
  ];
  static override args = {
    shell: Args.string({ description: 'bash, zsh or fish.', options: Object.keys(SHELLS), required: true }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args } = await this.parse(Completion);
    const shell = args.shell as Shell; // one of the options, says the parser
    const { bin, commands, topics } = this.config;
    const script = SHELLS[shell](bin, completionTable(commands, topics));
    return { data: { shell, script }, text: script.trimEnd() };
  }
}
