/** Replacing a section of a prompt: the section meant, also where fences hold fences. */
import { expect, test } from 'vitest';

import { replaceSection } from '../../src/workflow/files/sections.ts';

const section = { heading: 'Review Feedback', before: 'Activity Log', body: 'Fix it.' };

test('finds its section behind a fence that shows a fence, and takes no heading inside one for it', () => {
  const example = '```md\n## Review Feedback\n```js\nx\n```\n';
  const text = `${example}\n## Review Feedback\n\nNone yet.\n\n## Activity Log\n`;

  expect(replaceSection(text, section)).toBe(text.replace('None yet.', 'Fix it.'));
});
