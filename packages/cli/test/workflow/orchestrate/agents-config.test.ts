import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { KNOWN_AGENTS } from '../../../src/workflow/files/project-config.ts';
import { ATTENDED_AGENTS, agentId, KNOWN_AGENT_SPECS } from '../../../src/workflow/orchestrate/agents/known-agents.ts';
import {
  readOrchestratorConfig,
  type OrchestratorConfig,
} from '../../../src/workflow/orchestrate/agents/orchestrator-config.ts';

/** The settings of a project with these files. */
function configOf(config: string, override?: string): OrchestratorConfig {
  const root = mkdtempSync(join(tmpdir(), 'agents-config-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  for (const [name, text] of [
    ['config.yaml', config],
    ['agents.yaml', override],
  ] as const) {
    if (text === undefined) continue;
    mkdirSync(join(root, '.kittify'), { recursive: true });
    writeFileSync(join(root, '.kittify', name), text);
  }
  return readOrchestratorConfig(root);
}

const ids = (config: OrchestratorConfig): readonly string[] => config.agents.map(({ spec }) => spec.id);

test('a project that says nothing may use everybody who can work alone, in the order of the table', () => {
  const config = configOf('vcs: {type: git}\nagents:\n  available: []\n');

  expect(ids(config)).toEqual([
    'claude',
    'codex',
    'copilot',
    'gemini',
    'qwen',
    'opencode',
    'kilocode',
    'auggie',
    'cursor',
  ]);
  expect(config).toMatchObject({
    order: { implementation: ids(config), review: ids(config) },
    pick: 'preferred',
    singleAgent: null,
    fallback: 'next_in_list',
    maxRetries: 3,
    globalConcurrency: 5,
    globalTimeoutS: 3_600,
    allowUnattended: false,
    needsConsent: [],
    attended: [],
  });
});

test('the table and the list that init knows are one', () => {
  expect([...KNOWN_AGENT_SPECS.map(({ id }) => id), ...ATTENDED_AGENTS].toSorted()).toEqual(
    [...KNOWN_AGENTS].toSorted(),
  );
});

test('a missing file is a project that says nothing', () => {
  const root = join(tmpdir(), 'agents-config-that-is-not-there');

  expect(readOrchestratorConfig(root).agents).toHaveLength(KNOWN_AGENT_SPECS.length);
});

test('flags that lift permissions stand apart from the arguments of every row', () => {
  for (const { args } of KNOWN_AGENT_SPECS) {
    const words = [...args.implementation, ...args.review].join(' ');
    expect(words).not.toMatch(/--(?:dangerously|yolo|force|full-auto)/);
  }
});

test('other names of one agent become one id wherever they stand', () => {
  const config = configOf(`
agents:
  available: [claude-code, codex, augment]
  selection: {preferred_implementer: claude-code, preferred_reviewer: claude}
  orchestrator:
    defaults: {implementation: [claude, claude-code, codex]}
    agents: {claude-code: {max_concurrent: 1}}
`);

  expect(ids(config)).toEqual(['claude', 'codex', 'auggie']);
  expect(config.order.implementation).toEqual(['claude', 'codex']);
  expect(config.order.review).toEqual(['claude', 'codex', 'auggie']);
  expect(config.agents[0]?.maxConcurrent).toBe(1);
  expect([agentId(' claude-code '), agentId('claude'), agentId('toString')]).toEqual(['claude', 'claude', 'toString']);
});

test('the preferred one comes first, then the named order; one that is not enabled or has not the role is left out', () => {
  const config = configOf(`
agents:
  available: [claude, codex, gemini]
  selection: {strategy: random, preferred_implementer: gemini, preferred_reviewer: qwen}
  orchestrator:
    defaults: {implementation: [codex, claude, opencode], review: [claude, codex]}
    agents: {codex: {roles: [implementation]}}
`);

  expect(config.order).toEqual({ implementation: ['gemini', 'codex', 'claude'], review: ['claude'] });
  expect(config.pick).toBe('random');
});

test('agents.yaml overrides config.yaml key by key', () => {
  const config = configOf(
    `
agents:
  available: [claude, codex, gemini]
  allow_unattended: true
  orchestrator:
    agents: {claude: {priority: 5, timeout_seconds: 60}, gemini: {priority: 1}}
    max_retries: 1
    global_concurrency: 3
`,
    `
version: "1.0"
defaults: {review: [codex]}
agents:
  claude-code: {max_concurrent: 4}
  codex: true
  gemini: false
fallback_strategy: fail
max_retries: 0
global_timeout: 30
`,
  );

  expect(ids(config)).toEqual(['claude', 'codex']);
  expect(config.agents[0]).toMatchObject({ priority: 5, maxConcurrent: 4, timeoutS: 30 });
  expect(config.agents[1]).toMatchObject({ priority: 20, maxConcurrent: 100, timeoutS: 30 });
  expect(config).toMatchObject({
    order: { implementation: ['claude', 'codex'], review: ['codex'] },
    fallback: 'fail',
    maxRetries: 0,
    globalConcurrency: 3,
    allowUnattended: true,
  });
});

test('a run of an agent is limited by its own time, or the time for all', () => {
  const config = configOf(
    'agents: {orchestrator: {agents: {claude: {timeout_seconds: 60}, codex: true, cursor: true}}}',
  );

  expect(config.agents.map(({ timeoutS }) => timeoutS)).toEqual([60, 3_600, 300]);
});

test('an agent that needs a person is known, and said to be unable to work alone', () => {
  const config = configOf('agents: {available: [claude, windsurf, q]}');

  expect(ids(config)).toEqual(['claude']);
  expect(config.attended).toEqual(['windsurf', 'q']);
});

test('a single agent does everything', () => {
  const config = configOf(
    'agents: {available: [claude, codex], orchestrator: {single_agent_mode: {enabled: true, agent: codex}}}',
  );

  expect(config.singleAgent).toBe('codex');
  expect(config.order).toEqual({ implementation: ['codex'], review: ['codex'] });
});

const CUSTOM = `
agents:
  custom:
    mine:
      bin: ./tools/agent.mjs
      args: {implementation: [work, "{root}/x"], review: [look]}
      unattended_args: [--go]
      prompt_via: file
      output: jsonl
      version_args: [--version]
      exit_codes: {7: rate}
      failure_words: {auth: [Sign In]}
      priority: 3
      max_concurrent: 1
`;

test('a project describes an agent of its own, which then is the one it has', () => {
  const config = configOf(CUSTOM);

  expect(config.agents).toEqual([
    {
      spec: {
        id: 'mine',
        bin: './tools/agent.mjs',
        args: { implementation: ['work', '{root}/x'], review: ['look'] },
        unattendedArgs: ['--go'],
        promptVia: 'file',
        output: 'jsonl',
        versionProbe: { args: ['--version'] },
        exitCodes: { 7: 'rate' },
        failureWords: { auth: ['sign in'] },
        failsOnReportedError: false,
        priority: 3,
      },
      roles: ['implementation', 'review'],
      priority: 3,
      maxConcurrent: 1,
      timeoutS: 3_600,
      needsConsent: true,
    },
  ]);
});

test('what a repository wants to have run is told in full, before anything of it is', () => {
  expect(configOf(CUSTOM).needsConsent).toEqual([
    {
      id: 'mine',
      source: '.kittify/config.yaml',
      commands: [
        './tools/agent.mjs work {root}/x --go {prompt_file}',
        './tools/agent.mjs look --go {prompt_file}',
        './tools/agent.mjs --version',
      ],
    },
  ]);
});

test('other words for a row of the table need consent too, and replace only what they say', () => {
  const config = configOf('agents: {available: [claude, codex], custom: {codex: {bin: /opt/codex}}}');
  const codex = config.agents[1];

  expect(config.needsConsent.map(({ id }) => id)).toEqual(['codex']);
  expect(codex?.spec).toMatchObject({
    bin: '/opt/codex',
    output: 'codex-jsonl',
    args: { review: ['exec', '-', '--json'] },
  });
});

test('an agent of its own that is switched off needs no consent', () => {
  expect(configOf(CUSTOM, 'agents: {mine: false}')).toMatchObject({ needsConsent: [] });
});

test('what the person is asked about cannot move their cursor or hide a word', () => {
  const config = configOf('agents: {custom: {mine: {bin: sh, args: ["-c", "x\\u001b[2J\\u202ey; rm -rf ~"]}}}');

  expect(config.needsConsent[0]?.commands).toEqual(['sh -c "x\\u001b[2J\\u202ey; rm -rf ~"']);
});

test.each([
  ['agents: {available: claude}', '1: agents.available must be a list of agents, not "claude"'],
  [
    'agents:\n  available:\n    - claude\n    - clod\n',
    '4: agents.available[1] names "clod", an agent nobody knows; there are claude, codex,',
  ],
  ['agents:\n  allow_unattended: maybe\n', '2: agents.allow_unattended must be true or false, not "maybe"'],
  [
    'agents:\n  selection:\n    strategy: best\n',
    '3: agents.selection.strategy must be preferred or random, not "best"',
  ],
  [
    'agents:\n  selection:\n    preferred: claude\n',
    '3: agents.selection.preferred is not a key that is known here; there are strategy, preferred_implementer, preferred_reviewer',
  ],
  ['agents:\n  selection:\n    preferred_reviewer: clod\n', '3: agents.selection.preferred_reviewer names "clod"'],
  [
    'agents:\n  orchestrator:\n    max_retries: -1\n',
    '3: agents.orchestrator.max_retries must be a whole number, 0 or more, not -1',
  ],
  [
    'agents:\n  orchestrator:\n    global_concurrency: 0\n',
    '3: agents.orchestrator.global_concurrency must be a whole number, 1 or more, not 0',
  ],
  [
    'agents:\n  orchestrator:\n    global_timeout: soon\n',
    '3: agents.orchestrator.global_timeout must be a whole number, 1 or more, not "soon"',
  ],
  [
    'agents:\n  orchestrator:\n    fallback_strategy: retry\n',
    '3: agents.orchestrator.fallback_strategy must be next_in_list, same_agent or fail, not "retry"',
  ],
  [
    'agents:\n  orchestrator:\n    agents:\n      claude: 7\n',
    '4: agents.orchestrator.agents.claude must be true, false or a group of keys, not 7',
  ],
  [
    'agents:\n  orchestrator:\n    agents:\n      claude: {roles: [cook]}\n',
    '4: agents.orchestrator.agents.claude.roles[0] must be implementation or review, not "cook"',
  ],
  ['agents:\n  orchestrator:\n    agents:\n      clod: true\n', '4: agents.orchestrator.agents.clod names "clod"'],
  [
    'agents:\n  orchestrator:\n    defaults:\n      review: [clod]\n',
    '4: agents.orchestrator.defaults.review[0] names "clod"',
  ],
  [
    'agents:\n  orchestrator:\n    single_agent_mode: {enabled: true}\n',
    '3: agents.orchestrator.single_agent_mode is enabled, and so needs an agent',
  ],
  [
    'agents:\n  available: [codex]\n  orchestrator:\n    single_agent_mode: {enabled: true, agent: claude}\n',
    '4: agents.orchestrator.single_agent_mode.agent names claude, which is not among',
  ],
  ['agents:\n  custom:\n    mine: {args: []}\n', '3: agents.custom.mine needs a bin, the name or path of its program'],
  [
    'agents:\n  custom:\n    mine: {bin: x, output: xml}\n',
    '3: agents.custom.mine.output must be text, json, jsonl, claude-json, codex-jsonl or opencode-jsonl, not "xml"',
  ],
  [
    'agents:\n  custom:\n    mine:\n      bin: x\n      args: [1]\n',
    '5: agents.custom.mine.args[0] must be text (put it in quotes), not 1',
  ],
  [
    'agents:\n  custom:\n    mine:\n      bin: x\n      exit_codes: {7: sad}\n',
    '5: agents.custom.mine.exit_codes.7 must be timeout, auth, rate, network, missing, killed or general, not "sad"',
  ],
  [
    'agents:\n  custom:\n    "My Agent": {bin: x}\n',
    '3: agents.custom.My Agent must be a name in small letters, digits, dots and dashes, not "My Agent"',
  ],
  ['agents: [a\n', '2: '],
  ['- a\n', '1: it is not a list of keys'],
  ['agents:\n  available: *nobody\n', '2: *nobody stands for nothing; a value that begins with * needs quotes'],
])('a mistake is refused with file, line, key and what is allowed: %j', (config, message) => {
  expect(() => configOf(config)).toThrow(
    expect.objectContaining({
      code: 'config-invalid',
      message: expect.stringContaining(`.kittify/config.yaml, line ${message}`),
    }),
  );
});

test('a mistake in agents.yaml names that file', () => {
  expect(() => configOf('', 'version: "1.0"\nmax_retries: 1.5\n')).toThrow(
    '.kittify/agents.yaml, line 2: max_retries must be a whole number, 0 or more, not 1.5.',
  );
});

test('aliases that would fill the memory are refused', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[at]}`).join(',')}]`)
    .join('\n')}\n`;

  expect(() => configOf(bomb)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
});
