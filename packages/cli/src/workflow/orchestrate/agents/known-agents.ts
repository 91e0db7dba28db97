/**
 * The agents `orchestrate` knows by name, as data. Their flags age: `agents.custom.<id>` in `.kittify/config.yaml`
 * replaces any part of a row. No row holds a flag that lifts an agent's permissions outside `unattendedArgs`.
 */
import { SPEC_DEFAULTS, type AgentSpec } from './agent-spec.ts';

/** Git for claude without consent to everything: enough to look around, and to commit. */
const CLAUDE_READS = ['Read', 'Glob', 'Grep', ...gitTools('status', 'diff', 'log', 'show')].join(',');
const CLAUDE_WRITES = ['Write', 'Edit', 'TodoWrite', ...gitTools('add', 'commit')].join(',');

/** Rows in order of preference. */
export const KNOWN_AGENT_SPECS: readonly AgentSpec[] = [
  {
    ...SPEC_DEFAULTS,
    id: 'claude',
    bin: 'claude',
    args: {
      implementation: ['-p', '--output-format', 'json', '--allowedTools', `${CLAUDE_READS},${CLAUDE_WRITES}`],
      // A reviewer has no tool to edit with, whatever else it was allowed.
      review: [
        '-p',
        '--output-format',
        'json',
        '--allowedTools',
        CLAUDE_READS,
        '--disallowedTools',
        'Write,Edit,NotebookEdit',
      ],
    },
    unattendedArgs: ['--dangerously-skip-permissions'],
    output: 'claude-json',
    versionProbe: { args: ['--version'] },
    failureWords: { auth: ['api key', 'unauthorized', '/login'], rate: ['rate limit', 'usage limit', '429'] },
    failsOnReportedError: true,
    priority: 10,
    install: 'npm install -g @anthropic-ai/claude-code',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'codex',
    bin: 'codex',
    args: { implementation: ['exec', '-', '--json'], review: ['exec', '-', '--json'] },
    unattendedArgs: ['--full-auto'],
    output: 'codex-jsonl',
    versionProbe: { args: ['--version'] },
    failureWords: { auth: ['openai api key', 'codex login'], rate: ['rate_limit_exceeded', 'usage limit'] },
    failsOnReportedError: true,
    priority: 20,
    install: 'npm install -g @openai/codex',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'copilot',
    bin: 'gh',
    args: sameForBoth(['copilot', '-p', '{prompt}', '--silent']),
    unattendedArgs: ['--yolo'],
    promptVia: 'argument',
    // `gh` alone is no agent: the extension has to be there.
    versionProbe: { args: ['extension', 'list'], mustSay: 'copilot' },
    priority: 30,
    install: 'gh extension install github/gh-copilot',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'gemini',
    bin: 'gemini',
    args: sameForBoth(['-p', '--output-format', 'json']),
    unattendedArgs: ['--yolo'],
    output: 'json',
    versionProbe: { args: ['--version'] },
    exitCodes: { 41: 'auth', 42: 'rate', 52: 'general', 130: 'killed' },
    priority: 40,
    install: 'npm install -g @google/gemini-cli',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'qwen',
    bin: 'qwen',
    args: sameForBoth(['-p', '--output-format', 'json']),
    unattendedArgs: ['--yolo'],
    output: 'json',
    versionProbe: { args: ['--version'] },
    priority: 50,
    install: 'npm install -g @qwen-code/qwen-code',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'opencode',
    bin: 'opencode',
    args: sameForBoth(['run', '--agent', 'build', '--format', 'json']),
    output: 'opencode-jsonl',
    versionProbe: { args: ['--version'] },
    failsOnReportedError: true,
    priority: 60,
    install: 'npm install -g opencode-ai',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'kilocode',
    bin: 'kilocode',
    args: sameForBoth(['-a', '-j', '{prompt}']),
    unattendedArgs: ['--yolo'],
    promptVia: 'argument',
    output: 'json',
    versionProbe: { args: ['--version'] },
    priority: 70,
    install: 'npm install -g @kilocode/cli',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'auggie',
    bin: 'auggie',
    args: sameForBoth(['--acp', '{prompt}']),
    promptVia: 'argument',
    versionProbe: { args: ['--version'] },
    priority: 80,
    install: 'npm install -g @augmentcode/auggie',
  },
  {
    ...SPEC_DEFAULTS,
    id: 'cursor',
    bin: 'cursor',
    args: sameForBoth(['agent', '-p', '{prompt}', '--output-format', 'json']),
    unattendedArgs: ['--force'],
    promptVia: 'argument',
    output: 'json',
    versionProbe: { args: ['--version'] },
    exitCodes: { 124: 'timeout' },
    priority: 90,
    timeoutS: 300,
    install: 'https://cursor.com/cli',
  },
];

/** Agents a project may list, but that work only with a person in front of them. */
export const ATTENDED_AGENTS: readonly string[] = ['windsurf', 'roo', 'q'];

const ALIASES: Readonly<Record<string, string>> = { 'claude-code': 'claude', augment: 'auggie' };

/** The one spelling of an agent's id: the key of the configuration. Two names of one agent would review each other. */
export function agentId(name: string): string {
  const id = name.trim();
  return Object.hasOwn(ALIASES, id) ? (ALIASES[id] ?? id) : id;
}

function sameForBoth(args: readonly string[]): AgentSpec['args'] {
  return { implementation: args, review: args };
}

function gitTools(...verbs: readonly string[]): readonly string[] {
  return verbs.map((verb) => `Bash(git ${verb}:*)`);
}
