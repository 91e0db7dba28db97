/** `spec-kitty init`: makes a git repository a spec-kitty project, in one commit. */
import * as Flags from '@oclif/core/flags';

import type { CommandOutcome } from '../command.ts';
import { renderInit } from '../render/workflow.ts';
import { WorkflowCommand } from '../workflow-command.ts';
import { init } from '../workflow/services/init.ts';

export default class Init extends WorkflowCommand {
  static override summary = 'Make this git repository a spec-kitty project.';
  static override description =
    'Writes the identity of the project, its version, ignore rules and a section in AGENTS.md that tells coding agents which ' +
    'command to use when, and commits exactly those. A second run changes nothing.';
  static override examples = [
    { description: 'Set up this repository', command: '<%= config.bin %> init' },
    {
      description: 'Make a repository first, and name the agents',
      command: '<%= config.bin %> init --git --agents claude,codex',
    },
  ];
  static override flags = {
    agents: Flags.string({ description: 'Agents of this project, separated by commas.', helpValue: 'A,B' }),
    git: Flags.boolean({ description: 'Make a git repository when there is none.' }),
    'agents-md': Flags.boolean({
      allowNo: true,
      default: true,
      description: 'Write or renew the section for coding agents in AGENTS.md.',
    }),
    yes: Flags.boolean({ char: 'y', description: 'Accepted for scripts: nothing is asked anyway.' }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(Init);
    const agents = flags.agents
      ?.split(',')
      .map((agent) => agent.trim())
      .filter((agent) => agent !== '');
    const result = await init(this.deps(), {
      ...this.place(),
      git: flags.git,
      agentsMd: flags['agents-md'],
      ...(agents === undefined ? {} : { agents }),
    });
    return this.outcome(result, renderInit(result));
  }
}
