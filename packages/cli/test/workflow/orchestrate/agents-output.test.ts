import { expect, test } from 'vitest';

import { OUTPUT_FORMS } from '../../../src/workflow/orchestrate/agents/agent-spec.ts';
import { KNOWN_AGENT_SPECS } from '../../../src/workflow/orchestrate/agents/known-agents.ts';
import { createOutputTail } from '../../../src/workflow/orchestrate/agents/output-tail.ts';
import { readOutput, type AgentOutput } from '../../../src/workflow/orchestrate/agents/read-output.ts';

const NOTHING = { files: [], commits: [], errors: [], reportsFailure: false };
const SHA = 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3';

/** What the agent with this id answered, read as its row of the table says. */
function answerOf(id: string, stdout: string): AgentOutput {
  const spec = KNOWN_AGENT_SPECS.find((each) => each.id === id);
  if (spec === undefined) throw new Error(`no agent ${id}`);
  return readOutput(spec.output, stdout);
}

const lines = (...events: readonly object[]): string => `${events.map((event) => JSON.stringify(event)).join('\n')}\n`;

test('claude: the last words are the result of its one document', () => {
  const stdout = lines({
    type: 'result',
    subtype: 'success',
    is_error: false,
    result: 'Done.\nDONE T001',
    session_id: 's',
  });

  expect(answerOf('claude', stdout)).toEqual({ ...NOTHING, finalText: 'Done.\nDONE T001' });
});

test('claude: a list of messages is answered by the one that is the result', () => {
  const messages = [
    { type: 'system' },
    { type: 'assistant', message: { content: [{ type: 'text', text: 'On it' }] } },
    { type: 'result', result: 'Ready' },
  ];

  expect(answerOf('claude', JSON.stringify(messages)).finalText).toBe('Ready');
});

test('claude: warnings before the document do not hide it, and a result may be a group of keys', () => {
  const stdout = `(node:1) Warning: old\n${lines({ result: { text: 'Ready', files_modified: ['a.ts'], commits: [{ sha: SHA }] } })}`;

  expect(answerOf('claude', stdout)).toEqual({ ...NOTHING, finalText: 'Ready', files: ['a.ts'], commits: [SHA] });
});

test('claude: an error it reports is one, with its words', () => {
  const stdout = lines({
    type: 'result',
    subtype: 'success',
    is_error: true,
    result: 'Invalid API key · Please run /login',
  });

  expect(answerOf('claude', stdout)).toMatchObject({
    errors: ['Invalid API key · Please run /login'],
    reportsFailure: true,
  });
});

test('codex: the last words are its last message; what others said is none of it', () => {
  const stdout = lines(
    { type: 'thread.started', thread_id: 't' },
    { type: 'item.completed', item: { type: 'user_message', text: 'the prompt' } },
    { type: 'item.completed', item: { type: 'agent_message', text: 'I begin' } },
    { type: 'item.completed', item: { type: 'file_change', changes: [{ path: 'src/a.ts', kind: 'add' }] } },
    { type: 'item.completed', item: { type: 'agent_message', text: 'Ready' } },
    { type: 'item.completed', item: { type: 'command_execution', aggregated_output: 'VERDICT' } },
    { type: 'turn.completed', usage: { input_tokens: 1 } },
  );

  expect(answerOf('codex', stdout)).toEqual({ ...NOTHING, finalText: 'Ready', files: ['src/a.ts'] });
});

test('codex: an error that it overcame is told, and a failed turn is a failure', () => {
  const reconnecting = { type: 'error', message: 'Reconnecting... 1/5' };
  const failed = { type: 'turn.failed', error: { message: 'usage limit reached' } };

  expect(answerOf('codex', lines(reconnecting, { type: 'turn.completed' }))).toMatchObject({
    errors: ['Reconnecting... 1/5'],
    reportsFailure: false,
  });
  expect(answerOf('codex', lines(reconnecting, failed))).toMatchObject({
    errors: ['Reconnecting... 1/5', 'usage limit reached'],
    reportsFailure: true,
  });
});

test('codex: the events of older versions are read as well', () => {
  const stdout = lines(
    { id: '0', msg: { type: 'agent_message', message: 'Ready' } },
    { id: '0', msg: { type: 'task_complete' } },
  );

  expect(answerOf('codex', stdout)).toMatchObject({ finalText: 'Ready', reportsFailure: false });
});

test('copilot: plain text, with the files it says it wrote', () => {
  const stdout = 'Created src/csv.ts and updated `README.md`.\nModified nothing else. Edited by hand.\n';

  expect(answerOf('copilot', stdout)).toEqual({ ...NOTHING, finalText: stdout, files: ['src/csv.ts', 'README.md'] });
});

test('auggie: plain text', () => {
  expect(answerOf('auggie', 'wrote "src/csv.ts"\nReady\n')).toMatchObject({ files: ['src/csv.ts'], errors: [] });
});

test('gemini: the response of its document, and its error', () => {
  expect(answerOf('gemini', lines({ response: 'Ready', stats: {} }))).toEqual({ ...NOTHING, finalText: 'Ready' });
  expect(answerOf('gemini', lines({ error: { type: 'ApiError', message: 'quota', code: 429 } }))).toMatchObject({
    errors: ['quota'],
    reportsFailure: true,
  });
});

test('qwen: a document or a list of messages', () => {
  expect(answerOf('qwen', lines({ response: 'Ready' })).finalText).toBe('Ready');
  expect(answerOf('qwen', JSON.stringify([{ type: 'assistant' }, { type: 'result', result: 'Ready' }])).finalText).toBe(
    'Ready',
  );
});

test('kilocode and cursor: the last document, of however many lines', () => {
  const stdout = `starting\n${lines({ type: 'say', content: 'On it' }, { type: 'result', result: 'Ready', changedFiles: ['a.ts'] })}`;

  expect(answerOf('kilocode', stdout)).toEqual({ ...NOTHING, finalText: 'Ready', files: ['a.ts'] });
  expect(answerOf('cursor', JSON.stringify({ result: 'Ready', is_error: false }, null, 2)).finalText).toBe('Ready');
});

test('opencode: parts that grow count once; files, commits and errors come from its events', () => {
  const text = (id: string, words: string) => ({ type: 'text', part: { id, type: 'text', text: words } });
  const tool = (name: string, state: object) => ({ type: 'tool_use', part: { tool: name, state } });
  const stdout = lines(
    { type: 'step_start' },
    text('p1', 'I beg'),
    text('p1', 'I begin'),
    tool('write', { input: { filePath: 'src/a.ts' } }),
    tool('bash', { input: { command: 'git commit -m x' }, output: `[b ${SHA}] x` }),
    tool('bash', { input: { command: 'ls' }, output: 'b'.repeat(40) }),
    text('p2', 'Ready'),
  );

  expect(answerOf('opencode', stdout)).toEqual({
    ...NOTHING,
    finalText: 'I begin\nReady',
    files: ['src/a.ts'],
    commits: [SHA],
  });
  expect(
    answerOf('opencode', stdout + lines({ type: 'error', error: { name: 'APIError', data: { message: 'no' } } })),
  ).toMatchObject({ errors: ['APIError: no'], reportsFailure: true });
});

test('a custom agent may answer in lines of JSON with the usual keys', () => {
  const stdout = lines({ files: ['a.ts'] }, { text: 'Ready' }, { commits: SHA });

  expect(readOutput('jsonl', stdout)).toEqual({ ...NOTHING, finalText: 'Ready', files: ['a.ts'], commits: [SHA] });
});

const MEBIBYTE = 1024 * 1024;
const hostile: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['only blanks', ' \n\r\n\t'],
  ['plain text', 'not JSON at all'],
  ['half a document', '{"result": "Ready'],
  ['deeply nested lists', '['.repeat(2 * MEBIBYTE)],
  ['deeply nested and closed', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ['deep objects under known keys', `{"result":${'{"result":'.repeat(50_000)}1${'}'.repeat(50_001)}`],
  ['one endless line', 'a'.repeat(4 * MEBIBYTE)],
  ['a million empty objects', '{}\n'.repeat(1_000_000)],
  ['many braces that never close', '{\n'.repeat(MEBIBYTE)],
  ['a word that looks like a file, for ever', `created ${'a.'.repeat(MEBIBYTE)}`],
  ['the same word over and over', 'created '.repeat(MEBIBYTE / 2)],
  ['keys of the prototype', '{"__proto__":{"result":"x"},"constructor":{"text":"y"},"hasOwnProperty":1}'],
  [
    'keys of other kinds',
    '{"result":[[[]],null,1],"files":{"a":{}},"commits":7,"errors":[null,[],{}],"is_error":"yes"}',
  ],
  [
    'events of other kinds',
    '{"type":[],"item":null,"msg":1,"part":[],"error":0}\n{"type":"error"}\n{"type":"tool_use"}',
  ],
  [
    'control characters and broken letters',
    `${new TextDecoder().decode(new Uint8Array([0xff, 0xfe, 0, 0xc3, 0x28]))}\u001b[2J`,
  ],
  ['null bytes', '\0'.repeat(1_000)],
];

test.each(hostile)(
  'hostile output is read in every form without an exception and without hanging: %s',
  (_name, text) => {
    for (const form of OUTPUT_FORMS) {
      const output = readOutput(form, text);

      expect(output.finalText.length).toBeLessThanOrEqual(256 * 1024);
      expect(output.files.length + output.commits.length + output.errors.length).toBeLessThanOrEqual(1_500);
    }
    // Seconds on a busy machine; what this guards against takes minutes.
  },
  20_000,
);

test('the end of a flood is kept, from a whole line on, in bounded memory', () => {
  const tail = createOutputTail(1_000);

  for (let line = 0; line < 100_000; line += 1) tail.add(Buffer.from(`line ${line}\n`));

  expect(tail.isCut).toBe(true);
  expect(tail.text()).toMatch(/^line \d+\n/);
  expect(tail.text()).toMatch(/line 99999\n$/);
  expect(tail.text().length).toBeLessThanOrEqual(2_000);
});

test('a letter that arrives in two pieces stays one; bytes that are none become a replacement', () => {
  const tail = createOutputTail(1_000);

  for (const byte of [...Buffer.from('é'), 0xff]) tail.add(new Uint8Array([byte]));

  expect(tail.text()).toBe('é\uFFFD');
});
