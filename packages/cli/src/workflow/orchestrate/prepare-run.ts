/** Everything that has to be known before an agent is started, or a plan shown: the packages, the agents, the limits. */
import { WorkflowError } from '../errors.ts';
import { checkCanCommit } from '../git/commit.ts';
import type { Place } from '../ports.ts';
import { detectFeature, requireTargetBranch, targetBranch, type Feature } from '../project/feature.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import { readAllWps, wpText } from '../project/wp-file.ts';
import { agentId } from './agents/known-agents.ts';
import { readOrchestratorConfig, type OrchestratorConfig } from './agents/orchestrator-config.ts';
import type { FoundAgent } from './agents/find-agents.ts';
import { planRun, type PlannedPackage } from './plan.ts';
import type { RunLimits, RunPlan } from './run-context.ts';
import { DEFAULT_LIMITS } from './run-context.ts';
import type { ReadyAgent, RunDeps } from './run-deps.ts';
import type { Role } from './run-state.ts';

/** What the user asked for. */
export interface OrchestrateInput extends Place {
  readonly feature?: string;
  /** The agent to prefer for a role. */
  readonly implementer?: string;
  readonly reviewer?: string;
  /** Agents may act without asking anybody. Also: `agents.allow_unattended` of the project. */
  readonly unattended?: boolean;
  /** The person agrees to the programs this repository describes. */
  readonly allowCustomAgents?: boolean;
}

/** A run's surroundings. */
export interface Prepared {
  readonly project: Project;
  readonly feature: Feature;
  readonly target: string;
  readonly packages: readonly (PlannedPackage & { readonly agent?: string })[];
  readonly plan: RunPlan;
  readonly limits: RunLimits;
  readonly isUnattended: boolean;
  /** True when every package may begin with another agent. */
  readonly isRandom: boolean;
  readonly ready: ReadonlyMap<string, ReadyAgent>;
  readonly warnings: readonly string[];
}

/** Reads and checks; changes nothing. `canWrite` false: for a plan, which needs neither branch nor identity. */
export async function prepareRun(
  deps: RunDeps,
  input: OrchestrateInput,
  options: { readonly canWrite: boolean },
): Promise<Prepared> {
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, 'spec-kitty orchestrate');
  const feature = await detectFeature(deps.git, project, input);
  const retry = input.retype?.(feature.slug) ?? `spec-kitty orchestrate --feature ${feature.slug}`;
  const target = options.canWrite
    ? await requireTargetBranch(deps.git, project, feature, retry)
    : ((await targetBranch(deps.git, project, feature)) ?? 'HEAD');
  if (options.canWrite) await checkCanCommit(deps.git, project);
  const packages = packagesOf(feature);
  const config = readOrchestratorConfig(project.root);
  const isConsented = input.allowCustomAgents === true;
  if (options.canWrite && config.needsConsent.length > 0 && !isConsented) throw consentNeeded(config, retry);
  const found = await deps.agents.find(config.agents, { root: project.root, isConsented });
  const ready = new Map(found.flatMap((one) => (one.state === 'ready' ? [[one.agent.spec.id, one] as const] : [])));
  const order = {
    implementation: orderOf('implementation', { config, ready, named: input.implementer }),
    review: orderOf('review', { config, ready, named: input.reviewer }),
  };
  if (order.implementation.length === 0) throw nobodyReady(found, config);
  return {
    project,
    feature,
    target,
    packages,
    plan: planRun(packages, order),
    limits: {
      ...DEFAULT_LIMITS,
      globalConcurrency: config.globalConcurrency,
      maxConcurrent: new Map(config.agents.map((agent) => [agent.spec.id, agent.maxConcurrent])),
      maxRetries: config.maxRetries,
      fallback: config.fallback,
    },
    isRandom: config.pick === 'random',
    isUnattended: input.unattended === true || config.allowUnattended,
    ready,
    warnings: [
      ...found.flatMap((one) => (one.state === 'ready' ? [] : [`${one.agent.spec.id} cannot be used: ${one.why}.`])),
      ...(order.review.length === 0 ? ['There is no reviewer: every agent reviews its own work.'] : []),
    ],
  };
}

function packagesOf(feature: Feature): Prepared['packages'] {
  const packages = readAllWps(feature).map((wp) => {
    const agent = wpText(wp.file, 'agent');
    return { id: wp.id, dependencies: wp.dependencies, lane: wp.lane, ...(agent === undefined ? {} : { agent }) };
  });
  if (packages.length > 0) return packages;
  throw new WorkflowError('no-work-packages', `${feature.relativeDir}/tasks holds no work packages.`, {
    remedy: `spec-kitty agent tasks scaffold --feature ${feature.slug} --wp "First title"`,
  });
}

interface OrderFacts {
  readonly config: OrchestratorConfig;
  readonly ready: ReadonlyMap<string, ReadyAgent>;
  /** The agent a person named for the role. */
  readonly named: string | undefined;
}

function orderOf(role: Role, { config, ready, named }: OrderFacts): readonly string[] {
  const order = config.order[role].filter((id) => ready.has(id));
  if (named === undefined) return order;
  const id = agentId(named);
  if (!ready.has(id)) {
    const which = ready.size === 0 ? 'none is ready' : `ready are ${[...ready.keys()].join(', ')}`;
    throw new WorkflowError('agent-not-ready', `The agent "${named}" cannot be used: ${which}.`, {
      agentId: id,
      remedy: 'spec-kitty orchestrate --plan',
    });
  }
  return [id, ...order.filter((other) => other !== id)];
}

function consentNeeded(config: OrchestratorConfig, retry: string): WorkflowError {
  const list = config.needsConsent
    .map(({ id, commands }) => `${id} runs ${commands.map((command) => `\`${command}\``).join(' and ')}`)
    .join('; ');
  return new WorkflowError(
    'consent-needed',
    `This repository describes agent programs of its own, which run as you: ${list}. Look at them first.`,
    { details: { agents: config.needsConsent }, remedy: `${retry} --allow-custom-agents` },
  );
}

function nobodyReady(found: readonly FoundAgent[], config: OrchestratorConfig): WorkflowError {
  const why = found.flatMap((one) => (one.state === 'ready' ? [] : [`${one.agent.spec.id}: ${one.why}`]));
  const attended = config.attended.length === 0 ? '' : ` (${config.attended.join(', ')} cannot work alone)`;
  return new WorkflowError('no-agent', `No agent is ready to implement${attended}.`, {
    details: { agents: why },
    remedy: 'Install one, e.g. claude or codex, or describe your own: examples/custom-agent/README.md',
  });
}
