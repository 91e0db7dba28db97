/** What a person does about a closed gate, and after acceptance: commands that can be typed as they stand. Pure. */
import { openBoxes, parseTasksMd } from '../files/tasks-md.ts';
import { missionFile } from '../files/mission-yaml.ts';
import { quoted } from '../rules/shell-word.ts';
import { closedGates, type AcceptanceFacts, type AcceptanceSummary, type Gate } from './acceptance-gates.ts';

/** What the commands need to be exact. */
export interface HelpContext {
  readonly facts: AcceptanceFacts;
  readonly summary: AcceptanceSummary;
  readonly mission: string;
  /** The command that was refused, as it was typed. */
  readonly command: string;
}

/** For each closed gate the commands that help; a remark for people stands in parentheses after three blanks. */
export function helpFor(context: HelpContext): Readonly<Partial<Record<Gate, readonly string[]>>> {
  return Object.fromEntries(closedGates(context.summary).map((gate) => [gate, commandsFor(gate, context)]));
}

function commandsFor(gate: Gate, context: HelpContext): readonly string[] {
  const { facts, summary, mission, command } = context;
  const feature = quoted(facts.feature);
  const inFeature = (name: string): string => quoted(`${facts.featureDir}/${name}`);
  switch (gate) {
    case 'not_done':
      return [
        ...startable(facts).map((id) => `spec-kitty implement ${id} --feature ${feature}`),
        ...movable(facts).map((id) => `spec-kitty agent tasks move-task ${id} --to for_review --feature ${feature}`),
      ];
    case 'metadata':
      return [`${command} --lenient   (leaves this out; or complete the packages' files)`];
    case 'activity':
      return idsOf(summary.activity).map(
        (id) => `spec-kitty agent tasks add-history ${id} --note "Log brought up to date" --feature ${feature}`,
      );
    case 'unchecked_tasks':
      return tickCommands(facts, feature, inFeature('tasks.md'));
    case 'needs_clarification': {
      const files = summary.needs_clarification.map(inFeature).join(' ');
      return [`grep -n -F '[NEEDS CLARIFICATION' ${files}   (answer each question and remove its mark)`];
    }
    case 'missing_artifacts': {
      const files = summary.missing_artifacts.map(inFeature).join(' ');
      return [`git log --oneline --diff-filter=D -- ${files}   (shows whether it was deleted; else write it)`];
    }
    case 'git_dirty':
      return [
        `git add --all && git commit --message ${quoted(`Finish ${facts.feature}`)}   (or put aside what does not belong to it: git stash --include-untracked)`,
      ];
    case 'path_violations':
      return [`mkdir -p ${summary.path_violations.map(quoted).join(' ')}   (or correct ${missionFile(mission)})`];
    default:
      return gate satisfies never;
  }
}

/** The planned packages that wait for nobody who has not begun. */
function startable({ wps }: AcceptanceFacts): readonly string[] {
  const planned = wps.filter((wp) => wp.lane === 'planned');
  const ids = new Set(planned.map((wp) => wp.id));
  return planned.filter((wp) => !wp.dependencies.some((id) => ids.has(id))).map((wp) => wp.id);
}

/** The packages under way whose subtasks are checked; those of the others come first, and have a gate of their own. */
function movable({ wps, artifacts }: AcceptanceFacts): readonly string[] {
  const sections = parseTasksMd(artifacts.get('tasks.md') ?? '').wps;
  const isOpen = (id: string): boolean =>
    sections.some((section) => section.id === id && section.subtasks.some((task) => !task.checked));
  return wps.filter((wp) => wp.lane === 'doing' && !isOpen(wp.id)).map((wp) => wp.id);
}

function idsOf(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.map((line) => line.slice(0, 4)))];
}

function tickCommands({ artifacts }: AcceptanceFacts, feature: string, tasksMd: string): readonly string[] {
  const boxes = openBoxes(artifacts.get('tasks.md') ?? '');
  const ids = [...new Set(boxes.flatMap(({ id }) => id ?? []))];
  return [
    ...(ids.length === 0
      ? []
      : [`spec-kitty agent tasks mark-status ${ids.join(' ')} --status done --feature ${feature}`]),
    ...(boxes.every(({ id }) => id !== undefined)
      ? []
      : [`grep -n -F '[ ]' ${tasksMd}   (boxes without an id are ticked by hand)`]),
  ];
}

/** What the hints after acceptance depend on. */
export interface NextStepFacts {
  readonly feature: string;
  readonly mode: 'pr' | 'local';
  readonly target: string;
  /** The remote to push to, where there is one. */
  readonly remote: string | undefined;
  readonly unmerged: readonly string[];
}

/** What is left to do with the accepted feature. */
export function instructionsAfter({ feature, mode, target, remote, unmerged }: NextStepFacts): readonly string[] {
  const branch = quoted(target);
  const merge = `Bring ${unmerged.join(', ')} into ${target}: spec-kitty merge --feature ${quoted(feature)}`;
  const first = unmerged.length === 0 ? [] : [merge];
  if (mode === 'local')
    return first.length > 0
      ? first
      : [`Nothing is left to do: no branch of a package waits to be merged into ${target}.`];
  return [
    ...first,
    ...(remote === undefined ? ['Name the place to push to: git remote add origin URL'] : []),
    `Push ${target}: git push ${quoted(remote ?? 'origin')} ${branch}`,
    `Open a pull request from ${target}, unless it is the branch you release from.`,
  ];
}

/** Workspaces and branches that are in the target branch already. A target branch is never among them. */
export function cleanupAfter(leftOver: {
  readonly worktrees: readonly string[];
  readonly branches: readonly string[];
}): readonly string[] {
  return [
    ...leftOver.worktrees.map((path) => `git worktree remove ${quoted(path)}`),
    ...leftOver.branches.map((branch) => `git branch -d ${quoted(branch)}`),
  ];
}
