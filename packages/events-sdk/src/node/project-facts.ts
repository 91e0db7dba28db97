/** The project a program runs in, as emission and delivery need it: identity, settings, git facts. No network. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

import type { EmissionFacts } from '../emitter.ts';
import { EventsSdkError } from '../errors.ts';
import { canonicalUuid, type DeliveryMode } from '../identity/project-identity.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { ProjectFacts } from '../queue/binding.ts';
import type { EventStore } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';
import { createGitFacts } from './git-facts.ts';
import type { Env } from './home.ts';
import { readProjectIdentity, type ProjectRead } from './project-identity.ts';
import { findProjectRoot } from './project-root.ts';

/** A project as the host names it. Each has an id of its own for good: a server knows it by that. */
export interface GivenProject {
  /** A UUID in any usual spelling. */
  readonly uuid: string;
  /** What people call it. */
  readonly slug: string;
}

/** The project around the working directory, for status displays. */
export interface ProjectHere {
  readonly uuid: string;
  readonly slug: string;
  readonly root: string;
}

export interface ProjectReader {
  /** Facts of one emission: of the project at `root`, else of the one around the working directory. Without a store, no team but the configured one is known. */
  factsAt(root: string | undefined, store: EventStore | null): Promise<Omit<EmissionFacts, 'nodeId' | 'session'>>;
  /** What the project at `root` says now; null without an identity. */
  lookUp(root: string): Promise<ProjectFacts | null>;
  here(): Promise<ProjectHere | null>;
  /** Why the file of the project around the working directory cannot be read, and what helps; null when nothing is wrong. */
  problem(): Promise<string | null>;
  /** How events leave: the home's choice, unless the project has a stricter or other one of its own. */
  delivery(home: DeliveryMode): Promise<DeliveryMode>;
}

export function createProjectReader(deps: {
  readonly cwd: string;
  /** Takes the place of the one around `cwd`. */
  readonly given?: GivenProject | undefined;
  readonly env: Env;
  readonly time: Time;
  readonly gitBudgetMs: number;
  readonly logger: Logger;
}): ProjectReader {
  const { cwd, env, logger } = deps;
  const given = deps.given === undefined ? null : checkedProject(deps.given);
  const git = createGitFacts({ time: deps.time, budgetMs: deps.gitBudgetMs });
  /** Emissions ask thousands of times; a project is read again only when its file has changed. */
  const known = new Map<string, { readonly signature: string; readonly answer: ProjectRead }>();
  let lastRoot: string | null = null;

  /** The last answer of a project whose file is still the same. */
  function lastAnswer(root: string, signature = signatureOf(root)): ProjectRead | undefined {
    const last = known.get(root);
    return last?.signature === signature ? last?.answer : undefined;
  }

  function around(): string | null {
    if (lastRoot === null || lastAnswer(lastRoot) === undefined) lastRoot = findProjectRoot(cwd, env);
    return lastRoot;
  }

  /** What the project around the working directory says; looks at its file once where nothing has changed. */
  async function readAround(): Promise<{ readonly root: string | null; readonly answer: ProjectRead | null }> {
    const answer = lastRoot === null ? undefined : lastAnswer(lastRoot);
    if (answer !== undefined) return { root: lastRoot, answer };
    const root = (lastRoot = findProjectRoot(cwd, env));
    return { root, answer: root === null ? null : await readAny(root) };
  }

  const readChosen = async (root: string) => ({ root, answer: await readAny(root) });

  async function readAny(root: string): Promise<ProjectRead> {
    // Taken before reading: a change in between shows the next time.
    const signature = signatureOf(root);
    const last = lastAnswer(root, signature);
    if (last !== undefined) return last;
    const answer = await readProjectIdentity(root);
    if (answer.kind === 'broken') logger.warn('project-config-broken', answer.message);
    if (signature !== undefined) known.set(root, { signature, answer });
    return answer;
  }

  async function read(root: string | null): Promise<Identified | null> {
    return root === null ? null : identified(await readAny(root));
  }

  async function lookUp(root: string): Promise<ProjectFacts | null> {
    const found = await read(root);
    return found === null ? null : toFacts(found);
  }

  return {
    lookUp,

    async factsAt(chosen, store) {
      // The branch is the checkout's one stands in, which in a worktree is not the project's.
      const [{ root, answer }, { branch, headSha, repoSlug }] = await Promise.all([
        chosen === undefined ? (given === null ? readAround() : { root: null, answer: null }) : readChosen(chosen),
        git.facts(chosen ?? cwd),
      ]);
      const found = answer === null ? null : identified(answer);
      const project = found === null ? (root === null ? given : null) : toFacts(found);
      return {
        project:
          project === null
            ? null
            : { ...project, teamSlug: project.teamSlug ?? (await deliveredTeam(store, project.uuid)) },
        projectRoot: root,
        isProjectReported: answer?.kind === 'broken',
        gitBranch: branch,
        headCommitSha: headSha,
        repoSlug: found?.identity.repoSlug ?? repoSlug,
      };
    },

    async here() {
      if (given !== null) return { uuid: given.uuid, slug: given.slug, root: cwd };
      const root = around();
      const found = await read(root);
      return found === null || root === null ? null : { uuid: found.identity.uuid, slug: found.identity.slug, root };
    },

    async problem() {
      const root = given === null ? around() : null;
      const answer = root === null ? null : await readAny(root);
      return answer?.kind === 'broken' ? answer.message : null;
    },

    async delivery(home) {
      const settings = given === null ? (await read(around()))?.settings : undefined;
      if (home === 'off' || settings?.autoStart === false) return 'off';
      return settings?.delivery ?? home;
    },
  };
}

/** Throws INVALID_ARGUMENT: a wrong id would drop every event, one by one. */
function checkedProject({ uuid, slug }: GivenProject): ProjectFacts & GivenProject {
  const canonical = canonicalUuid(uuid);
  if (canonical === null) throw new EventsSdkError('INVALID_ARGUMENT', 'The uuid of the project is not a UUID.');
  if (slug.trim() === '') throw new EventsSdkError('INVALID_ARGUMENT', 'The slug of the project is empty.');
  return { uuid: canonical, slug, teamSlug: null, syncEnabled: true };
}

type Identified = Extract<ProjectRead, { kind: 'identity' }>;

function identified(answer: ProjectRead): Identified | null {
  return answer.kind === 'identity' ? answer : null;
}

/** Differs after every change of the project's file; undefined without one. */
function signatureOf(root: string): string | undefined {
  try {
    const found = statSync(join(root, '.kittify', 'config.yaml'), { throwIfNoEntry: false });
    return found === undefined ? undefined : `${found.mtimeMs} ${found.ctimeMs} ${found.size} ${found.ino}`;
  } catch {
    return undefined;
  }
}

function toFacts({ identity, settings }: Identified): ProjectFacts {
  return {
    uuid: identity.uuid,
    slug: identity.slug,
    teamSlug: settings.teamSlug ?? null,
    syncEnabled: settings.syncEnabled,
  };
}

async function deliveredTeam(store: EventStore | null, projectUuid: string): Promise<string | null> {
  if (store === null) return null;
  return (await store.read((reader) => reader.value(projectTeamKey(projectUuid)))) ?? null;
}
