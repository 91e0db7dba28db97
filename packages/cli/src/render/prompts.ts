/** What an agent is told when it takes up a package, to work on it or to review it: where, what, and what to type. Pure. */
import type { WorkOrder } from '../workflow/project/work-order.ts';
import { quoted } from '../workflow/rules/shell-word.ts';
import type { ImplementResult } from '../workflow/services/implement.ts';
import type { WorkflowReviewResult } from '../workflow/services/workflow-review.ts';
import { visible } from './words.ts';

/** For the one who implements. */
export function implementPrompt(result: ImplementResult, order: WorkOrder): string {
  const { wp_id: id, feature } = result;
  const at = `--feature ${feature}`;
  return [
    `# Implement ${id}: ${visible(order.title)}`,
    '',
    `The package is in ${result.lane}, in the hands of ${visible(result.agent)}. Its text stands at the end.`,
    ...(order.hasFeedback ? ['A review sent it back: begin with "Review Feedback" in the text.'] : []),
    '',
    'Where to work',
    `    cd ${quoted(order.wayToWorkspace)}`,
    `Branch ${result.branch}, built on ${result.base}. Commit your work there. Leave kitty-specs/ alone: lanes and logs are`,
    'changed by the commands below.',
    '',
    ...subtaskLines(order, at),
    'When everything is committed',
    `    spec-kitty agent tasks move-task ${id} --to for_review ${at} --agent ${quoted(result.agent)}`,
    '',
    'To leave a note for those who come after',
    `    spec-kitty agent tasks add-history ${id} --note "TEXT" ${at} --agent ${quoted(result.agent)}`,
    '',
    ...textOf(order),
  ].join('\n');
}

/** For the one who reviews. */
export function reviewPrompt(result: WorkflowReviewResult, order: WorkOrder): string {
  const { wp_id: id, feature, retry_count: earlier } = result;
  const who = `--feature ${feature} --agent ${quoted(result.agent)}`;
  return [
    `# Review ${id}: ${visible(order.title)}`,
    '',
    `The package stays in for_review while ${visible(result.agent)} reviews it. Its text stands at the end.`,
    ...(earlier === 0
      ? []
      : [`${earlier === 1 ? 'One review was' : `${earlier} reviews were`} begun before: see the log at its end.`]),
    '',
    'What to look at',
    ...rangeLines(result, order),
    '',
    'To approve',
    `    spec-kitty agent tasks move-task ${id} --to done ${who}`,
    '',
    'To reject: write what has to change into a file outside of the repository, then',
    `    spec-kitty agent tasks move-task ${id} --to planned --review-feedback-file FILE ${who}`,
    '',
    ...textOf(order),
  ].join('\n');
}

function subtaskLines({ subtasks }: WorkOrder, at: string): readonly string[] {
  const [first] = subtasks;
  if (first === undefined) return [];
  const which = subtasks.length === 1 ? first : `${first} to ${subtasks.at(-1) ?? ''}`;
  return [
    `As each subtask is finished (${visible(which)})`,
    `    spec-kitty agent tasks mark-status ${quoted(first)} --status done ${at}`,
    '',
  ];
}

function rangeLines(result: WorkflowReviewResult, order: WorkOrder): readonly string[] {
  if (result.range === null) {
    return [
      'The branch is not in this clone. Where it was merged:',
      `    git log --all --grep ${quoted(`${result.wp_id} from ${result.feature}`)}`,
    ];
  }
  const commits = result.commits === 1 ? '1 commit' : `${result.commits} commits`;
  return [
    `    git diff ${quoted(result.range)}`,
    `    git log --oneline ${quoted(result.range.replace('...', '..'))}`,
    `That is ${commits}.${result.workspace_path === null ? '' : ` To try it: cd ${quoted(order.wayToWorkspace)}`}`,
  ];
}

function textOf(order: WorkOrder): readonly string[] {
  return [`----- ${order.path} -----`, visible(order.text.replaceAll('\r\n', '\n').trimEnd())];
}
