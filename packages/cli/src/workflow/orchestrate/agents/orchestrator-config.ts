/**
 * Who may work on this project and how: `agents` of `.kittify/config.yaml`, overridden key by key by
 * `.kittify/agents.yaml`. Every agent has one spelling from here on, so that nobody reviews their own work under
 * another name.
 */
import { join } from 'node:path';

import { ROLES, type AgentSpec, type Role } from './agent-spec.ts';
import { readConfigSource, type ConfigSource, type SettingPath } from './config-source.ts';
import { consentRequest, customSpec, type ConsentRequest } from './custom-agents.ts';
import { agentId, ATTENDED_AGENTS, KNOWN_AGENT_SPECS } from './known-agents.ts';
import {
  allowUnattendedSchema,
  availableSchema,
  customSchema,
  orchestratorSchema,
  selectionSchema,
  type AgentLimits,
  type CustomAgentSettings,
  type FallbackStrategy,
  type OrchestratorSettings,
} from './settings-schema.ts';

/** An agent that may be used, with its limits. */
export interface ResolvedAgent {
  readonly spec: AgentSpec;
  readonly roles: readonly Role[];
  /** Lower is preferred. */
  readonly priority: number;
  readonly maxConcurrent: number;
  /** The longest one run may take, in seconds. */
  readonly timeoutS: number;
  /** True when a file of the repository says what is run: nothing of it may be run before the person has agreed. */
  readonly needsConsent: boolean;
}

/** The settings of a run, complete. */
export interface OrchestratorConfig {
  /** Those enabled that can work alone, most preferred first. Whether they are installed is another question. */
  readonly agents: readonly ResolvedAgent[];
  /** Ids to take for each role, in order. */
  readonly order: Readonly<Record<Role, readonly string[]>>;
  /** `random`: any of the order, instead of the first. */
  readonly pick: 'preferred' | 'random';
  /** The one agent that does everything, if it is so configured. */
  readonly singleAgent: string | null;
  readonly fallback: FallbackStrategy;
  readonly maxRetries: number;
  readonly globalConcurrency: number;
  readonly globalTimeoutS: number;
  /** True when the project agrees to agents that act without asking. */
  readonly allowUnattended: boolean;
  /** The programs the person has to agree to, of the agents above. */
  readonly needsConsent: readonly ConsentRequest[];
  /** Listed, but with no way to work without a person in front of them. */
  readonly attended: readonly string[];
}

const CONFIG = '.kittify/config.yaml';
const OVERRIDE = '.kittify/agents.yaml';

/** "Let the graph limit": for an agent nobody has set limits for. */
const UNLIMITED = 100;
const DEFAULT_MAX_CONCURRENT = 2;

/** One file's say in who does what. */
interface Layer {
  readonly source: ConfigSource;
  readonly path: SettingPath;
  readonly settings: OrchestratorSettings;
}

/** What both files say of agents by id. */
interface Roster {
  readonly specs: ReadonlyMap<string, AgentSpec>;
  readonly custom: ReadonlyMap<string, CustomAgentSettings>;
  readonly layers: readonly Layer[];
  /** The id, or a refusal that names where it stands. */
  idAt(source: ConfigSource, path: SettingPath, name: string): string;
}

/** Reads both files of the project at `root`. Rejects by throwing `config-invalid` with file, line, key and what is allowed. */
export function readOrchestratorConfig(root: string): OrchestratorConfig {
  const source = readConfigSource(join(root, CONFIG), CONFIG);
  const override = readConfigSource(join(root, OVERRIDE), OVERRIDE);
  const custom = readCustom(source);
  const specs = new Map(KNOWN_AGENT_SPECS.map((spec) => [spec.id, spec]));
  for (const [id, settings] of custom) specs.set(id, customSpec(id, settings, specs.get(id)));
  const layers = [layerOf(source, ['agents', 'orchestrator']), layerOf(override, [])];
  const roster: Roster = { specs, custom, layers, idAt: idReader(specs) };

  const available = (source.check(availableSchema, ['agents', 'available']) ?? []).map((name, at) =>
    roster.idAt(source, ['agents', 'available', at], name),
  );
  const globalTimeoutS = lastOf(layers, 'global_timeout') ?? 3_600;
  const agents = enabledAgents(roster, available, globalTimeoutS);
  const selection = source.check(selectionSchema, ['agents', 'selection']) ?? {};
  const preferred = (key: 'preferred_implementer' | 'preferred_reviewer'): string | undefined => {
    const name = selection[key];
    return name === undefined || name === null ? undefined : roster.idAt(source, ['agents', 'selection', key], name);
  };
  const singleAgent = readSingleAgent(roster, agents);
  return {
    agents,
    order: {
      implementation: orderFor('implementation', {
        roster,
        agents,
        singleAgent,
        first: preferred('preferred_implementer'),
      }),
      review: orderFor('review', { roster, agents, singleAgent, first: preferred('preferred_reviewer') }),
    },
    pick: selection.strategy ?? 'preferred',
    singleAgent,
    fallback: lastOf(layers, 'fallback_strategy') ?? 'next_in_list',
    maxRetries: lastOf(layers, 'max_retries') ?? 3,
    globalConcurrency: lastOf(layers, 'global_concurrency') ?? 5,
    globalTimeoutS,
    allowUnattended: source.check(allowUnattendedSchema, ['agents', 'allow_unattended']) ?? false,
    needsConsent: agents.filter((agent) => agent.needsConsent).map(({ spec }) => consentRequest(spec, CONFIG)),
    attended: available.filter((id) => !specs.has(id)),
  };
}

function readCustom(source: ConfigSource): ReadonlyMap<string, CustomAgentSettings> {
  const path = ['agents', 'custom'];
  const entries = Object.entries(source.check(customSchema, path) ?? {}).map(([name, settings]) => {
    const id = agentId(name);
    const isKnown = KNOWN_AGENT_SPECS.some((spec) => spec.id === id);
    if (settings.bin === undefined && !isKnown)
      throw source.refusal([...path, name], 'needs a bin, the name or path of its program');
    return [id, settings] as const;
  });
  return new Map(entries);
}

function layerOf(source: ConfigSource, path: SettingPath): Layer {
  return { source, path, settings: source.check(orchestratorSchema, path) ?? {} };
}

function idReader(specs: ReadonlyMap<string, AgentSpec>): Roster['idAt'] {
  return (source, path, name) => {
    const id = agentId(name);
    if (specs.has(id) || ATTENDED_AGENTS.includes(id)) return id;
    const known = [...specs.keys(), ...ATTENDED_AGENTS].join(', ');
    throw source.refusal(
      path,
      `names "${name}", an agent nobody knows; there are ${known}, and those of agents.custom`,
    );
  };
}

/** Those listed anywhere and not switched off; when nobody is listed, everybody that is known. */
function enabledAgents(roster: Roster, available: readonly string[], globalTimeoutS: number): readonly ResolvedAgent[] {
  const said = new Map<string, boolean | AgentLimits>();
  for (const [id, settings] of roster.custom) said.set(id, settings);
  for (const { source, path, settings } of roster.layers) {
    for (const [name, entry] of Object.entries(settings.agents ?? {})) {
      const id = roster.idAt(source, [...path, 'agents', name], name);
      const before = said.get(id);
      said.set(
        id,
        typeof entry === 'object' && typeof before === 'object' ? { ...before, ...entry } : mergedSwitch(before, entry),
      );
    }
  }
  const isOff = (entry: boolean | AgentLimits | undefined): boolean =>
    entry === false || (typeof entry === 'object' && entry.enabled === false);
  const listed = new Set([...available, ...[...said].filter(([, entry]) => !isOff(entry)).map(([id]) => id)]);
  const ids = listed.size > 0 ? [...listed] : [...roster.specs.keys()];
  return ids
    .filter((id) => !isOff(said.get(id)))
    .flatMap((id) => {
      const spec = roster.specs.get(id);
      return spec === undefined ? [] : [resolved(spec, said.get(id), { roster, globalTimeoutS })];
    })
    .toSorted((a, b) => a.priority - b.priority);
}

/** `codex: false` over a group of limits switches it off; `codex: true` on, with the limits it had. */
function mergedSwitch(before: boolean | AgentLimits | undefined, entry: boolean | AgentLimits): boolean | AgentLimits {
  return typeof before === 'object' && typeof entry === 'boolean' ? { ...before, enabled: entry } : entry;
}

function resolved(
  spec: AgentSpec,
  entry: boolean | AgentLimits | undefined,
  { roster, globalTimeoutS }: { readonly roster: Roster; readonly globalTimeoutS: number },
): ResolvedAgent {
  const limits = typeof entry === 'object' ? entry : undefined;
  return {
    spec,
    roles: limits?.roles ?? ROLES,
    priority: limits?.priority ?? spec.priority,
    maxConcurrent: limits?.max_concurrent ?? (limits === undefined ? UNLIMITED : DEFAULT_MAX_CONCURRENT),
    timeoutS: Math.min(limits?.timeout_seconds ?? spec.timeoutS ?? globalTimeoutS, globalTimeoutS),
    needsConsent: roster.custom.has(spec.id),
  };
}

interface OrderFacts {
  readonly roster: Roster;
  readonly agents: readonly ResolvedAgent[];
  readonly singleAgent: string | null;
  /** The preferred one. */
  readonly first: string | undefined;
}

function orderFor(role: Role, { roster, agents, singleAgent, first }: OrderFacts): readonly string[] {
  const able = agents.filter(({ roles }) => roles.includes(role)).map(({ spec }) => spec.id);
  const named = roster.layers
    .map(({ source, path, settings }) =>
      settings.defaults?.[role]?.map((name, at) => roster.idAt(source, [...path, 'defaults', role, at], name)),
    )
    .findLast((ids) => ids !== undefined);
  if (singleAgent !== null) return [singleAgent];
  const wanted = first === undefined ? (named ?? able) : [first, ...(named ?? able)];
  return [...new Set(wanted)].filter((id) => able.includes(id));
}

function readSingleAgent(roster: Roster, agents: readonly ResolvedAgent[]): string | null {
  const layer = roster.layers.findLast(({ settings }) => settings.single_agent_mode !== undefined);
  const mode = layer?.settings.single_agent_mode;
  if (layer === undefined || mode?.enabled !== true) return null;
  const path = [...layer.path, 'single_agent_mode'];
  if (mode.agent === undefined || mode.agent === null)
    throw layer.source.refusal(path, 'is enabled, and so needs an agent');
  const id = roster.idAt(layer.source, [...path, 'agent'], mode.agent);
  if (!agents.some(({ spec }) => spec.id === id))
    throw layer.source.refusal(
      [...path, 'agent'],
      `names ${id}, which is not among the agents that are enabled and can work alone`,
    );
  return id;
}

function lastOf<K extends keyof OrchestratorSettings>(layers: readonly Layer[], key: K): OrchestratorSettings[K] {
  return layers.map(({ settings }) => settings[key]).findLast((value) => value !== undefined);
}
