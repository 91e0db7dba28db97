/** The texts of new features and work packages. Pure. */
import { stringify } from 'yaml';

import { formatEntry } from './activity-log.ts';

/** A work package that is to be written. */
export interface NewWp {
  readonly id: string;
  readonly title: string;
  readonly dependencies: readonly string[];
  readonly subtasks: readonly { readonly id: string; readonly text: string; readonly checked: boolean }[];
}

/** `WP01-csv-writer.md` */
export function wpFileName(wp: Pick<NewWp, 'id' | 'title'>): string {
  const words = wp.title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '');
  return `${wp.id}-${words === '' ? 'work-package' : words}.md`;
}

/** The file of one work package: frontmatter in canonical order, the sections the commands know, a first log line. */
export function wpFileText(wp: NewWp, at: string): string {
  const head = stringify(
    {
      work_package_id: wp.id,
      title: wp.title,
      lane: 'planned',
      dependencies: wp.dependencies,
      subtasks: wp.subtasks.map((task) => task.id),
      assignee: '',
      agent: '',
      shell_pid: '',
      review_status: '',
      reviewed_by: '',
      history: [{ timestamp: at, lane: 'planned', agent: 'system', action: 'Prompt generated' }],
    },
    { lineWidth: 0, indentSeq: false },
  );
  const log = formatEntry({ at, agent: 'system', lane: 'planned', note: 'Prompt created.' });
  const tasks = wp.subtasks.map((task) => `- ${task.id} ${task.text}`).join('\n');
  return `---
${head}---

# Work Package Prompt: ${wp.id} – ${wp.title}

## Objective

${wp.title}.
${tasks === '' ? '' : `\n## Subtasks\n\n${tasks}\n`}
## Review Feedback

None yet.

## Activity Log

${log}
`;
}

/** A tasks.md in the canonical shape. */
export function tasksMdText(featureName: string, wps: readonly NewWp[]): string {
  const sections = wps.map((wp) => {
    const boxes = wp.subtasks.map((task) => `- [${task.checked ? 'x' : ' '}] ${task.id} ${task.text}`);
    const dependencies = wp.dependencies.length === 0 ? 'None' : `Depends on ${wp.dependencies.join(', ')}.`;
    return `## Work Package ${wp.id}: ${wp.title}

**Prompt**: \`/tasks/${wpFileName(wp)}\`

### Included Subtasks

${boxes.join('\n')}

### Dependencies

- ${dependencies}
`;
  });
  return `# Work Packages: ${featureName}\n\n${sections.join('\n')}`;
}

/** spec.md of a new feature. */
export function specText(title: string): string {
  return `# Feature Specification: ${title}

## User stories

### Story 1

As a …, I want …, so that …

**Acceptance**: Given …, when …, then …

## Requirements

- **FR-001**: …

## Success criteria

- **SC-001**: …
`;
}

/** plan.md of a new feature. */
export function planText(title: string): string {
  return `# Implementation Plan: ${title}

## Approach

…

## Risks

…
`;
}

/** tasks/README.md of a new feature. */
export const TASKS_README = `# Work packages

One file per work package, named \`WP01-some-title.md\`. Its lane (planned, doing, for_review, done) stands in the
frontmatter and is changed by \`spec-kitty\`; files never move.
`;
