/** What `.kittify/config.yaml: agents` and `.kittify/agents.yaml` may say, as schemas whose messages say what is allowed. */
import * as v from 'valibot';

import { FAILURE_CLASSES, OUTPUT_FORMS, PROMPT_WAYS, ROLES } from './agent-spec.ts';
import { unknownKey } from './config-source.ts';

/** What to do when an agent has failed for good. */
export const FALLBACK_STRATEGIES = ['next_in_list', 'same_agent', 'fail'] as const;
export type FallbackStrategy = (typeof FALLBACK_STRATEGIES)[number];

// Messages follow the key in a sentence: "max_retries must be …".
const GROUP = 'must be a group of keys';
const text = (what: string) => v.pipe(v.string(`must be ${what}`), v.trim(), v.minLength(1, `must be ${what}`));
const agentName = text('the name of an agent');
const yesOrNo = v.boolean('must be true or false');
const names = v.array(agentName, 'must be a list of agents');
const args = v.array(v.string('must be text (put it in quotes)'), 'must be a list of arguments');

const oneOf = <const T extends readonly [string, string, ...string[]]>(values: T) =>
  v.picklist(values, `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`);

const wholeNumber = (from: number) => {
  const message = `must be a whole number, ${from} or more`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(from, message),
    v.maxValue(1_000_000, 'must be 1000000 at most'),
  );
};

const closed = <const E extends v.ObjectEntries>(entries: E, message = GROUP) =>
  v.strictObject(entries, (issue) => (issue.expected === 'never' ? unknownKey(Object.keys(entries)) : message));

const limits = {
  enabled: v.optional(yesOrNo),
  roles: v.optional(v.array(oneOf(ROLES), `must be a list of ${ROLES.join(' and ')}`)),
  priority: v.optional(wholeNumber(0)),
  max_concurrent: v.optional(wholeNumber(1)),
  timeout_seconds: v.optional(wholeNumber(1)),
};
const limitsSchema = closed(limits, 'must be true, false or a group of keys');

/** What may be said of any agent. */
export type AgentLimits = v.InferOutput<typeof limitsSchema>;

/** `agents.available`: who may work on this project. */
export const availableSchema = names;

/** `agents.selection`: who is taken first. */
export const selectionSchema = closed({
  strategy: v.optional(oneOf(['preferred', 'random'])),
  preferred_implementer: v.optional(v.nullable(agentName)),
  preferred_reviewer: v.optional(v.nullable(agentName)),
});

/** `agents.allow_unattended`. */
export const allowUnattendedSchema = yesOrNo;

/** Who does what, and how much at once: `agents.orchestrator`, or the whole of `agents.yaml`. */
export const orchestratorSchema = closed({
  version: v.optional(v.union([v.string(), v.number()], 'must be a version, e.g. "1.0"')),
  defaults: v.optional(closed({ implementation: v.optional(names), review: v.optional(names) })),
  agents: v.optional(
    v.record(
      v.string(),
      // Not a union: its complaint would be about the alternatives and not about the key that is wrong.
      v.lazy((input): v.GenericSchema<unknown, boolean | AgentLimits> =>
        typeof input === 'boolean' ? yesOrNo : limitsSchema,
      ),
      GROUP,
    ),
  ),
  fallback_strategy: v.optional(oneOf(FALLBACK_STRATEGIES)),
  max_retries: v.optional(wholeNumber(0)),
  single_agent_mode: v.optional(closed({ enabled: v.optional(yesOrNo), agent: v.optional(v.nullable(agentName)) })),
  global_concurrency: v.optional(wholeNumber(1)),
  global_timeout: v.optional(wholeNumber(1)),
});
export type OrchestratorSettings = v.InferOutput<typeof orchestratorSchema>;

const argsByRole = closed({ implementation: args, review: args }, 'must be a list of arguments, or one for each role');

const customAgentSchema = closed({
  bin: v.optional(text('the name or path of a program')),
  args: v.optional(
    v.lazy((input): v.GenericSchema<unknown, string[] | v.InferOutput<typeof argsByRole>> =>
      Array.isArray(input) ? args : argsByRole,
    ),
  ),
  unattended_args: v.optional(args),
  prompt_via: v.optional(oneOf(PROMPT_WAYS)),
  output: v.optional(oneOf(OUTPUT_FORMS)),
  version_args: v.optional(args),
  exit_codes: v.optional(
    v.record(v.pipe(v.string(), v.regex(/^\d{1,3}$/, 'must be an exit code')), oneOf(FAILURE_CLASSES), GROUP),
  ),
  failure_words: v.optional(
    v.record(oneOf(FAILURE_CLASSES), v.array(text('a word or more'), 'must be a list of words'), GROUP),
  ),
  fails_on_reported_error: v.optional(yesOrNo),
  ...limits,
});
export type CustomAgentSettings = v.InferOutput<typeof customAgentSchema>;

/** `agents.custom`: programs that are not in the table, or other words for those that are. */
export const customSchema = v.record(
  v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'must be a name in small letters, digits, dots and dashes'),
  ),
  customAgentSchema,
  GROUP,
);
