/**
 * Says what is wrong with a payload or an envelope without saying what stood there: the text goes to logs,
 * terminals and other machines (SEC-2). Works for any schema, also one whose author wrote no messages.
 */
import * as v from 'valibot';

/** Unknown keys are the writer's text too: bounded. */
const MAX_PATH_LENGTH = 80;

/** One issue as `path: what is expected`. Never contains what was received. */
export function describeIssue(issue: v.BaseIssue<unknown>, prefix = ''): string {
  const path = [prefix, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.');
  return `${path === '' ? 'event' : path.slice(0, MAX_PATH_LENGTH)}: ${expectation(issue)}`;
}

/** At most three issues in one line. */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[], prefix = ''): string {
  const shown = issues.slice(0, 3).map((issue) => describeIssue(issue, prefix));
  return issues.length > 3 ? `${shown.join('; ')}; and ${issues.length - 3} more` : shown.join('; ');
}

function expectation(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not part of the contract';
  if (issue.received === 'undefined') return 'is missing';
  if (issue.kind === 'schema') return `expected ${issue.expected ?? issue.type}`;
  // valibot's own texts quote what was received; only a schema author's may pass.
  const isOwnText = issue.message.startsWith('Invalid ') || issue.message.includes(issue.received);
  return isOwnText ? `is not a valid ${issue.type}` : issue.message;
}
