/** What agents are told. Pure. */

/** A package to be worked on. */
export interface ImplementationPrompt {
  readonly wpId: string;
  /** Text of the package's file, frontmatter included. */
  readonly wpText: string;
  readonly feature: string;
  /** Absolute path of the workspace, the agent's working directory. */
  readonly workspace: string;
  readonly branch: string;
  /** What the reviewer wants changed, when the package comes back. */
  readonly feedback?: string;
  /** What went wrong at the last try. */
  readonly lastError?: string;
}

/** A package to be looked at. */
export interface ReviewPrompt {
  readonly wpId: string;
  readonly wpText: string;
  readonly feature: string;
  readonly workspace: string;
  /** What was done is on `branch` and not on `base`. */
  readonly base: string;
  readonly branch: string;
  /** Letters and digits that nobody can know before this review. */
  readonly nonce: string;
}

/** Longest text of a reviewer that is given back to an implementer. */
const MAX_FEEDBACK_LENGTH = 20_000;

/** For the agent that does the work. */
export function implementationPrompt(task: ImplementationPrompt): string {
  return `${rework(task)}${retried(task)}# Your task: implement ${task.wpId} of ${task.feature}

Work in ${task.workspace} only. It is a git worktree of your own on the branch ${task.branch}; do not switch branches, and
leave the folder kitty-specs/ and the lanes of work packages to the program that started you.
Nobody can answer questions while you work: decide, and say in your answer what you decided.

When the work is complete and its tests pass, commit all of it on this branch. What is not committed is not delivered.
End your answer with a line that begins with the word DONE, followed by the ids of the subtasks you finished, separated by
spaces. Leave out those you did not finish.

## The work package

${task.wpText.trim()}
`;
}

/**
 * For the agent that reviews. The words of a verdict stand here with CODE in place of the code, so that a reviewer that
 * repeats its prompt has not said anything.
 */
export function reviewPrompt(task: ReviewPrompt): string {
  return `# Your task: review ${task.wpId} of ${task.feature}

You are in ${task.workspace}, where it was implemented. See what was done with

    git log ${task.base}..${task.branch}
    git diff ${task.base}...${task.branch}

Look at it as a careful colleague:
- correctness: does it do what the work package below asks for, in the cases nobody likes to think of too?
- tests: do they cover it, and do they pass?
- docs: is what a user has to know written down?
- conventions: does it look like the rest of this repository?

Do not fix anything, and do not commit: change no file. Say what is wrong, with file and line, so that the implementer can.

## Your verdict

Your verdict code is \`${task.nonce}\`. The last line of your answer must be one of these two, with the verdict code in place of
CODE and nothing after it:

    VERDICT CODE: APPROVED
    VERDICT CODE: REJECTED the reason in one sentence

Without that line your review does not count.

## The work package

${task.wpText.trim()}
`;
}

function retried({ wpId, lastError }: ImplementationPrompt): string {
  if (lastError === undefined || lastError.trim() === '') return '';
  return `# Another try

${wpId} was tried before and not finished. What is on your branch and in the workspace is from then. It ended with:

> ${lastError
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 500)}

`;
}

function rework({ wpId, feedback }: ImplementationPrompt): string {
  if (feedback === undefined || feedback.trim() === '') return '';
  const text = feedback.trim().slice(0, MAX_FEEDBACK_LENGTH);
  return `# Rework: a review asked for changes

${wpId} was implemented before, and its commits are on your branch. The reviewer said:

${text
  .split('\n')
  .map((line) => `> ${line}`)
  .join('\n')}

Change what the review asks for; keep what is right already.

`;
}
