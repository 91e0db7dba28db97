/** Which agents are installed. Nothing is run through a shell, and nothing the person has not agreed to. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

import { agentEnv, resolveBin } from './agent-command.ts';
import { runGrouped, type GroupedDeps } from './grouped-process.ts';
import type { ResolvedAgent } from './orchestrator-config.ts';
import { createOutputTail } from './output-tail.ts';

/** One agent, and whether it can be started. */
export type FoundAgent =
  | { readonly agent: ResolvedAgent; readonly state: 'ready'; readonly path: string; readonly version: string | null }
  | { readonly agent: ResolvedAgent; readonly state: 'missing' | 'unusable'; readonly why: string };

/** Where and with whose consent to look. */
export interface FindOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True when the person has agreed to the programs this repository describes. Without it, those are not run, only looked for. */
  readonly isConsented: boolean;
  /** How long a program may take to name its version. Default 10 s. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

const PROBE_LIMIT_MS = 10_000;
const PROBE_KEEP_BYTES = 64 * 1024;

/** Looks for all of them at the same time; answers in their order. */
export async function findAgents(
  deps: GroupedDeps,
  agents: readonly ResolvedAgent[],
  options: FindOptions,
): Promise<readonly FoundAgent[]> {
  return await Promise.all(agents.map((agent) => findAgent(deps, agent, options)));
}

/** The program's absolute path; undefined when PATH has no such file that may be run. Relative entries of PATH do not count. */
export function findProgram(bin: string, root: string, path: string | undefined): string | undefined {
  const named = resolveBin(bin, root);
  if (isAbsolute(named)) return isProgram(named) ? named : undefined;
  const endings = process.platform === 'win32' ? ['.exe', '.com'] : [''];
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .flatMap((folder) => endings.map((ending) => join(folder, named + ending)))
    .find((file) => isProgram(file));
}

async function findAgent(deps: GroupedDeps, agent: ResolvedAgent, options: FindOptions): Promise<FoundAgent> {
  const { spec } = agent;
  const path = findProgram(spec.bin, options.root, options.env['PATH']);
  if (path === undefined) {
    const hint = spec.install === undefined ? '' : `; to get it: ${spec.install}`;
    return { agent, state: 'missing', why: `${spec.bin} was not found${hint}` };
  }
  const probe = spec.versionProbe;
  if (probe === undefined || (agent.needsConsent && !options.isConsented))
    return { agent, state: 'ready', path, version: null };
  const tail = createOutputTail(PROBE_KEEP_BYTES);
  const end = await runGrouped(deps, {
    path,
    args: probe.args,
    cwd: options.root,
    env: agentEnv(options.env),
    input: '',
    runId: '',
    timeoutMs: options.limitMs ?? PROBE_LIMIT_MS,
    onOutput: (_stream, chunk) => {
      tail.add(chunk);
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const called = [spec.bin, ...probe.args].join(' ');
  const unusable = (why: string): FoundAgent => ({ agent, state: 'unusable', why: `${called} ${why}` });
  if (end.startError !== null) return unusable(`could not be started (${end.startError})`);
  if (end.timedOut) return unusable('did not answer in time');
  if (end.exitCode !== 0) return unusable(`ended with ${end.signal ?? `exit code ${end.exitCode}`}`);
  const answer = tail.text();
  if (probe.mustSay !== undefined && !answer.toLowerCase().includes(probe.mustSay.toLowerCase()))
    return {
      agent,
      state: 'missing',
      why: `${called} does not list ${probe.mustSay}; to get it: ${spec.install ?? ''}`,
    };
  return { agent, state: 'ready', path, version: /\d+\.\d+[\w.+-]*/.exec(answer.slice(0, 4_000))?.[0] ?? null };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
