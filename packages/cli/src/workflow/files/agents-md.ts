/**
 * The section of AGENTS.md that coding agents read before they work here: which command when. It stands between two
 * marker lines; what stands outside of them is the project's own and stays byte for byte. Pure text in, text out.
 */
import { WorkflowError } from '../errors.ts';
import { lineEnding } from './frontmatter.ts';

const START = '<!-- spec-kitty:start -->';
const END = '<!-- spec-kitty:end -->';

const SECTION = `${START}
## Working with spec-kitty

Work is cut into work packages (WP01, WP02 …), one file each: \`kitty-specs/FEATURE/tasks/WP01-*.md\`. A package is in one
lane: \`planned\`, \`doing\`, \`for_review\` or \`done\`. Commands change lanes, log and board together. Never edit them by hand.

Implement a package
1. \`spec-kitty agent workflow implement WP01 --agent NAME\`, in the main checkout: makes its workspace, claims it, prints
   what to do. (\`spec-kitty implement WP01\` does the same without the prompt.)
2. Work and commit in that workspace, on its branch.
3. \`spec-kitty agent tasks mark-status T001 T002 --status done\` as subtasks are finished.
4. \`spec-kitty agent tasks move-task WP01 --to for_review --agent NAME\` when everything is committed.

Review a package
1. \`spec-kitty agent workflow review WP01 --agent NAME\`: prints the range of commits to look at.
2. Approve: \`spec-kitty agent tasks move-task WP01 --to done --agent NAME\`.
   Reject: \`spec-kitty agent tasks move-task WP01 --to planned --review-feedback-file FILE --agent NAME\`.

Also
- \`spec-kitty agent tasks list-tasks --lane planned\`: what there is to do. \`list-dependents WP01\`: who waits for it.
- \`spec-kitty agent tasks add-history WP01 --note "TEXT"\`: a note for those who come after.
- \`spec-kitty merge\`, then \`spec-kitty accept\`: when all packages of the feature have been reviewed.
- \`spec-kitty sync reconcile\`: when lanes changed without a command (a pull, a revert, an edit by hand).

Give \`--feature SLUG\` where more than one feature could be meant. With \`--json\` a command prints exactly one JSON document
on stdout; a refusal is \`{"error", "code", "remedy"}\`, and the remedy is what to run. Exit codes: 0 done or nothing to do,
1 refused or failed, 2 not understood, 3 not delivered yet (\`sync now\`), 4 not signed in. Being offline fails no command.
${END}`;

/**
 * The text of AGENTS.md with our section in it: replaced where it stands, else added at the end. Refuses, with the line,
 * when the markers are not one pair; `name` is how the message calls the file.
 */
export function withAgentsSection(text: string, name: string): string {
  const eol = lineEnding(text);
  const section = SECTION.replaceAll('\n', eol);
  const place = findSection(text, name);
  if (place !== undefined) return text.slice(0, place.start) + section + text.slice(place.end);
  const gap = /^\uFEFF?$/.test(text) ? '' : text.endsWith('\n') ? eol : eol + eol;
  return `${text}${gap}${section}${eol}`;
}

/** Where the section begins and ends; undefined when neither marker is there. */
function findSection(text: string, name: string): { readonly start: number; readonly end: number } | undefined {
  const markers = [...text.matchAll(/^\uFEFF?[ \t]*(<!-- spec-kitty:(?:start|end) -->)[ \t]*\r?$/gm)].map((match) => ({
    marker: match[1] ?? '',
    at: match.index + match[0].indexOf('<'),
    line: text.slice(0, match.index).split('\n').length,
  }));
  const [start, end, extra] = markers;
  if (start === undefined) return undefined;
  if (start.marker !== START) throw broken(name, start.line, `${END} has no ${START} before it`);
  if (end === undefined) throw broken(name, start.line, `${START} has no ${END} after it`);
  if (end.marker !== END) throw broken(name, end.line, `${START} stands there a second time`);
  if (extra !== undefined) throw broken(name, extra.line, `${extra.marker} stands there once more`);
  return { start: start.at, end: end.at + END.length };
}

function broken(name: string, line: number, what: string): WorkflowError {
  return new WorkflowError(
    'markers-broken',
    `${name}, line ${line}: ${what}, so it is unclear which part is spec-kitty's.`,
    {
      remedy: `spec-kitty init --no-agents-md   (or make the markers in ${name} one pair again, start before end)`,
      details: { path: name, line },
    },
  );
}
