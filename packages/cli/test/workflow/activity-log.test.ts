/** The activity log's format, as other tools read it. */
import { expect, test } from 'vitest';

import { appendLog, formatEntry, logTime, readLog } from '../../src/workflow/files/activity-log.ts';

const entry = { at: '2026-03-02T14:30:00Z', agent: 'claude', shellPid: '4711', lane: 'doing', note: 'Started' };
const line = '- 2026-03-02T14:30:00Z – claude – shell_pid=4711 – lane=doing – Started';

test('writes one line with en dashes and leaves out an unknown process', () => {
  expect(formatEntry(entry)).toBe(line);
  expect(formatEntry({ at: entry.at, agent: 'a b', lane: 'done', note: 'one\n two' })).toBe(
    '- 2026-03-02T14:30:00Z – a b – lane=done – one / two',
  );
  expect(logTime(Date.parse('2026-03-02T14:30:00.987Z'))).toBe('2026-03-02T14:30:00Z');
});

test('goes on with an existing list, and keeps one blank line below the heading', () => {
  const body = '# T\n\n## Activity Log\n\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.\n';

  expect(appendLog(body, entry)).toBe(`${body}${line}\n`);
  expect(appendLog('## Activity Log\n', entry)).toBe(`## Activity Log\n\n${line}\n`);
});

test('stays inside its section when another follows', () => {
  const body = '## Activity Log\n\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.\n\n## Next\n\ntext\n';

  expect(appendLog(body, entry)).toBe(
    `## Activity Log\n\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.\n${line}\n\n## Next\n\ntext\n`,
  );
});

test('makes the section when there is none, and ends a file that had no last line break', () => {
  expect(appendLog('# T', entry)).toBe(`# T\n\n## Activity Log\n\n${line}\n`);
  expect(
    appendLog('## Activity Log\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.', entry).endsWith(
      `Made.\n${line}\n`,
    ),
  ).toBe(true);
});

test('keeps CRLF', () => {
  const body = '# T\n\n## Activity Log\n\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.\n\n## Next\n';
  const crlf = body.replaceAll('\n', '\r\n');

  expect(appendLog(crlf, entry)).toBe(appendLog(body, entry).replaceAll('\n', '\r\n'));
});

test('takes no heading inside a code fence for the section', () => {
  const body = '```\n## Activity Log\n```\n';

  expect(appendLog(body, entry)).toBe(`${body}\n## Activity Log\n\n${line}\n`);
});

test('finds the log behind fences that hold fences, and behind one that never closes', () => {
  const before = [
    '```md\n```js\nx\n```\n',
    '1. a\n   ```md\n   ```js\n   ```\n   ```\n',
    '```\nnever closed\n',
    '```- inline```\n',
  ];
  for (const fence of before) {
    const body = `${fence}\n## Activity Log\n\n${line}\n`;

    expect(appendLog(body, entry)).toBe(`${body}${line}\n`);
    expect(readLog(body)).toEqual([entry]);
  }
});

test('does not take a heading inside a fence of the log for its end, nor an example for an entry', () => {
  const body = `## Activity Log\n\n${line}\n\n\`\`\`\n## Other\n${line}\n\`\`\`\n`;

  expect(readLog(body)).toEqual([entry]);
  expect(appendLog(body, entry)).toBe(`${body}\n${line}\n`);
});

test('goes on with the last of two logs, so that the newest entry is read last', () => {
  const older = line.replace('doing', 'planned');
  const body = `## Activity Log\n\n${older}\n\n## Notes\n\ntext\n\n## Activity Log\n\n${older}\n\n## Next\n`;

  const after = appendLog(body, entry);

  expect(after).toBe(body.replace('\n\n## Next', `\n${line}\n\n## Next`));
  expect(readLog(after).map(({ lane }) => lane)).toEqual(['planned', 'planned', 'doing']);
});

test('reads what it wrote, and hyphens as separators, and nothing else', () => {
  const body = `## Activity Log

${line}
- 2026-03-02T15:00:00Z - codex-mini 2 - shell_pid= - lane=for_review - note – with - dashes
- 2026-03-02T15:00:00Z — claude — lane=doing — em dashes
* 2026-03-02T15:00:00Z – claude – lane=doing – star
- 2026-03-02T15:00:00+00:00 – claude – lane=doing – offset
- 2026-03-02T15:00:00.123Z – claude – lane=doing – fraction
- 2026-03-02T16:00:00Z – claude – lane=done –

## Other
${line}
`;

  expect(readLog(body)).toEqual([
    entry,
    { at: '2026-03-02T15:00:00Z', agent: 'codex-mini 2', lane: 'for_review', note: 'note – with - dashes' },
    { at: '2026-03-02T16:00:00Z', agent: 'claude', lane: 'done', note: '' },
  ]);
});
