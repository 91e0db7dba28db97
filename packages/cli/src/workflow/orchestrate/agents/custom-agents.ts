/** Agents a project describes itself: rows of their own, or other words for rows of the table. Pure. */
import {
  PROMPT_ARGUMENT,
  PROMPT_FILE_ARGUMENT,
  ROOT_ARGUMENT,
  SPEC_DEFAULTS,
  type AgentSpec,
  type PromptVia,
} from './agent-spec.ts';
import type { CustomAgentSettings } from './settings-schema.ts';

/** A program that a file of the repository wants to have run. */
export interface ConsentRequest {
  readonly id: string;
  /** What would be run, in the words of a shell and safe to print; one line each. */
  readonly commands: readonly string[];
  /** The file that says so. */
  readonly source: string;
}

/** The row `settings` describe, on top of `row` when there is one of that id. `bin` is checked to be there by the caller. */
export function customSpec(id: string, settings: CustomAgentSettings, row: AgentSpec | undefined): AgentSpec {
  const base = row ?? { ...SPEC_DEFAULTS, id, bin: settings.bin ?? '' };
  const { args } = settings;
  return {
    ...base,
    ...defined({
      bin: settings.bin,
      args: args === undefined ? undefined : Array.isArray(args) ? { implementation: args, review: args } : args,
      unattendedArgs: settings.unattended_args,
      promptVia: settings.prompt_via,
      output: settings.output,
      versionProbe: settings.version_args === undefined ? undefined : { args: settings.version_args },
      exitCodes: settings.exit_codes,
      failureWords: settings.failure_words && lowered(settings.failure_words),
      failsOnReportedError: settings.fails_on_reported_error,
      priority: settings.priority,
    }),
  };
}

/** What the person is asked about. */
export function consentRequest(spec: AgentSpec, source: string): ConsentRequest {
  const prompt = promptWord(spec.promptVia);
  const commands = [spec.args.implementation, spec.args.review].map((args) =>
    [spec.bin, ...args, ...spec.unattendedArgs, ...(args.includes(prompt) ? [] : [prompt])].filter(
      (word) => word !== '',
    ),
  );
  if (spec.versionProbe !== undefined) commands.push([spec.bin, ...spec.versionProbe.args]);
  return { id: spec.id, source, commands: [...new Set(commands.map((words) => words.map(shellWord).join(' ')))] };
}

/** Where the prompt goes among the arguments; empty for one that takes it from stdin. */
function promptWord(via: PromptVia): string {
  return via === 'stdin' ? '' : via === 'argument' ? PROMPT_ARGUMENT : PROMPT_FILE_ARGUMENT;
}

/** Quoted when needed; nothing in it can move the cursor of the person who reads it. */
function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word) || [PROMPT_ARGUMENT, PROMPT_FILE_ARGUMENT].includes(word)) return word;
  if (word.startsWith(ROOT_ARGUMENT) && /^[\w./-]*$/.test(word.slice(ROOT_ARGUMENT.length))) return word;
  return JSON.stringify(word).replaceAll(
    /[\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function lowered(words: Readonly<Record<string, readonly string[]>>): AgentSpec['failureWords'] {
  return Object.fromEntries(Object.entries(words).map(([key, list]) => [key, list.map((word) => word.toLowerCase())]));
}

/** Without the keys that say nothing, so that spreading it overrides only what is said. */
function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // The filter removes exactly what the type excludes.
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
