/** What is known of an agent program: how to start it, how it takes a prompt, how it answers, how it fails. Pure data. */

/** What an agent is asked to do. */
export type Role = 'implementation' | 'review';

/** Both, in the order a package goes through them. */
export const ROLES = ['implementation', 'review'] as const satisfies readonly Role[];

/** How the prompt gets to the program: its stdin, an argument, or a file whose path is an argument. */
export const PROMPT_WAYS = ['stdin', 'argument', 'file'] as const;
export type PromptVia = (typeof PROMPT_WAYS)[number];

/** How stdout is to be read. The last three are the forms of one agent each. */
export const OUTPUT_FORMS = ['text', 'json', 'jsonl', 'claude-json', 'codex-jsonl', 'opencode-jsonl'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

/** Why a run did not succeed. `missing`: the program could not be started. `killed`: a signal ended it. */
export const FAILURE_CLASSES = ['timeout', 'auth', 'rate', 'network', 'missing', 'killed', 'general'] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** Stands in `args` where the prompt goes; without it the prompt is the last argument. */
export const PROMPT_ARGUMENT = '{prompt}';
/** Stands in `args` where the path of the prompt's file goes, for `promptVia: 'file'`; without it the path is the last argument. */
export const PROMPT_FILE_ARGUMENT = '{prompt_file}';
/** Stands in `args` and `bin` for the project root: a workspace is another folder, and its files change. */
export const ROOT_ARGUMENT = '{root}';

/** How to find out whether the program is there and which one it is. */
export interface VersionProbe {
  readonly args: readonly string[];
  /** The answer has to contain this, in any case; e.g. the extension of a program that has many. */
  readonly mustSay?: string;
}

/** One agent program. */
export interface AgentSpec {
  /** The key in `.kittify/config.yaml`, and the `agent_id` of events. */
  readonly id: string;
  /** A name looked up on PATH, or a path. */
  readonly bin: string;
  readonly args: Readonly<Record<Role, readonly string[]>>;
  /** Flags that let it act without asking anybody. Added only with the person's consent. */
  readonly unattendedArgs: readonly string[];
  readonly promptVia: PromptVia;
  readonly output: OutputForm;
  /** Absent: the program being there is enough. */
  readonly versionProbe?: VersionProbe;
  /** Exit codes that mean something of their own. */
  readonly exitCodes: Readonly<Record<number, FailureClass>>;
  /** Words on stderr, or in an error it reports, that tell why it failed. In lower case; before the general ones. */
  readonly failureWords: Readonly<Partial<Record<FailureClass, readonly string[]>>>;
  /** True when exit code 0 is no success if the output reports an error. */
  readonly failsOnReportedError: boolean;
  /** Lower is preferred, where the configuration does not say. */
  readonly priority: number;
  /** The longest it is left alone, where it is known to hang. In seconds. */
  readonly timeoutS?: number;
  /** How a person gets it. */
  readonly install?: string;
}

/** What an {@link AgentSpec} is made of when a project describes an agent of its own. */
export const SPEC_DEFAULTS = {
  args: { implementation: [], review: [] },
  unattendedArgs: [],
  promptVia: 'stdin',
  output: 'text',
  exitCodes: {},
  failureWords: {},
  failsOnReportedError: false,
  priority: 50,
} as const satisfies Omit<AgentSpec, 'id' | 'bin'>;
