/** The project a program runs in, as emission and delivery need it: identity, settings, git facts. No network. */
import type { EmissionFacts } from '../emitter.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { ProjectFacts } from '../queue/binding.ts';
import type { EventStore } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';
import { createGitFacts } from './git-facts.ts';
import type { Env } from './home.ts';
import { readProjectIdentity, type ProjectRead } from './project-identity.ts';
import { findProjectRoot } from './project-root.ts';

/** The project around the working directory, for status displays. */
export interface ProjectHere {
  readonly uuid: string;
  readonly slug: string;
  readonly root: string;
}

export interface ProjectReader {
  /** Facts of one emission: of the project at `root`, else of the one around the working directory. */
  factsAt(root: string | undefined, store: EventStore): Promise<Omit<EmissionFacts, 'nodeId' | 'session'>>;
  /** What the project at `root` says now; null without an identity. */
  lookUp(root: string): Promise<ProjectFacts | null>;
  here(): Promise<ProjectHere | null>;
  /** How events leave: the home's choice, unless the project has a stricter or other one of its own. */
  delivery(home: DeliveryMode): Promise<DeliveryMode>;
}

export function createProjectReader(deps: {
  readonly cwd: string;
  readonly env: Env;
  readonly time: Time;
  readonly gitBudgetMs: number;
  readonly logger: Logger;
}): ProjectReader {
  const { cwd, env, logger } = deps;
  const git = createGitFacts({ time: deps.time, budgetMs: deps.gitBudgetMs });
  const around = (): string | null => findProjectRoot(cwd, env);

  async function read(root: string | null): Promise<Extract<ProjectRead, { kind: 'identity' }> | null> {
    if (root === null) return null;
    const found = await readProjectIdentity(root);
    if (found.kind === 'broken') logger.warn('project-config-broken', found.message);
    return found.kind === 'identity' ? found : null;
  }

  async function lookUp(root: string): Promise<ProjectFacts | null> {
    const found = await read(root);
    return found === null ? null : toFacts(found);
  }

  return {
    lookUp,

    async factsAt(chosen, store) {
      const root = chosen ?? around();
      // The branch is the checkout's one stands in, which in a worktree is not the project's.
      const [found, { branch, headSha, repoSlug }] = await Promise.all([read(root), git.facts(chosen ?? cwd)]);
      const project = found === null ? null : toFacts(found);
      return {
        project: project === null ? null : { ...project, teamSlug: project.teamSlug ?? (await deliveredTeam(store, project.uuid)) },
        projectRoot: root,
        gitBranch: branch,
        headCommitSha: headSha,
        repoSlug: found?.identity.repoSlug ?? repoSlug,
      };
    },

    async here() {
      const root = around();
      const found = await read(root);
      return found === null || root === null ? null : { uuid: found.identity.uuid, slug: found.identity.slug, root };
    },

    async delivery(home) {
      const settings = (await read(around()))?.settings;
      if (home === 'off' || settings?.autoStart === false) return 'off';
      return settings?.delivery ?? home;
    },
  };
}

function toFacts({ identity, settings }: Extract<ProjectRead, { kind: 'identity' }>): ProjectFacts {
  return { uuid: identity.uuid, slug: identity.slug, teamSlug: settings.teamSlug ?? null, syncEnabled: settings.syncEnabled };
}

async function deliveredTeam(store: EventStore, projectUuid: string): Promise<string | null> {
  return (await store.read((reader) => reader.value(projectTeamKey(projectUuid)))) ?? null;
}
