/** How one run of an agent is started: its arguments, what it reads, what its environment holds. Pure. */
import { isAbsolute, resolve } from 'node:path';

import { HOOK_VARIABLES } from '../../git/git.ts';
import { PROMPT_ARGUMENT, PROMPT_FILE_ARGUMENT, ROOT_ARGUMENT, type AgentSpec, type Role } from './agent-spec.ts';

/** A longer prompt does not go into an argument: 128 KiB is all one can hold on Linux. In UTF-8 bytes. */
export const MAX_ARGUMENT_BYTES = 100_000;

/** What a run is made of. */
export interface CommandFacts {
  readonly spec: AgentSpec;
  readonly role: Role;
  /** True when the person agreed to an agent that acts without asking. */
  readonly isUnattended: boolean;
  readonly root: string;
  readonly prompt: string;
  /** Where the prompt stands when {@link needsPromptFile} says so. */
  readonly promptFile?: string;
}

/** Whether the prompt has to be written into a file first. */
export function needsPromptFile(spec: Pick<AgentSpec, 'promptVia'>, prompt: string): boolean {
  return spec.promptVia === 'file' || (spec.promptVia === 'argument' && Buffer.byteLength(prompt) > MAX_ARGUMENT_BYTES);
}

/** Arguments and stdin of a run. */
export function agentCommand(facts: CommandFacts): { readonly args: readonly string[]; readonly input: string } {
  const { spec, root, promptFile } = facts;
  // No argument can hold a NUL, and no agent reads anything into one.
  const prompt = facts.prompt.replaceAll('\0', '');
  const own = [...spec.args[facts.role], ...(facts.isUnattended ? spec.unattendedArgs : [])];
  const withRoot = own.map((arg) => arg.replaceAll(ROOT_ARGUMENT, root));
  if (spec.promptVia === 'stdin') return { args: withRoot, input: prompt };
  const [mark, word] =
    spec.promptVia === 'file'
      ? [PROMPT_FILE_ARGUMENT, promptFile ?? '']
      : [PROMPT_ARGUMENT, promptFile === undefined ? prompt : `Read the file ${promptFile} and do what it says.`];
  // A function, so that `$&` in a prompt stays what it is.
  const filled = withRoot.map((arg) => arg.replaceAll(mark, () => word));
  return { args: own.some((arg) => arg.includes(mark)) ? filled : [...filled, word], input: '' };
}

/** A path stands relative to the project, never to a workspace: what an agent has changed there must not be run. */
export function resolveBin(bin: string, root: string): string {
  const path = bin.replaceAll(ROOT_ARGUMENT, root);
  return /[\\/]/.test(path) && !isAbsolute(path) ? resolve(root, path) : path;
}

/** Ours alone: an agent has no business with the team's server, and git's hook variables would send it elsewhere. */
const NOT_HANDED_DOWN: ReadonlySet<string> = new Set(['SPEC_KITTY_TOKEN', ...HOOK_VARIABLES]);

/** The environment of an agent: this process's, without our token, and with who and what it is working on. */
export function agentEnv(
  env: Readonly<Record<string, string | undefined>>,
  facts: { readonly agentId?: string; readonly feature?: string } = {},
): Readonly<Record<string, string | undefined>> {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_HANDED_DOWN.has(name))),
    // Nobody is there to type a password.
    GIT_TERMINAL_PROMPT: '0',
    ...(facts.agentId === undefined ? {} : { SPEC_KITTY_AGENT: facts.agentId }),
    ...(facts.feature === undefined ? {} : { SPECIFY_FEATURE: facts.feature }),
  };
}
