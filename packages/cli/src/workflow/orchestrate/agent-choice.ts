/** Which agents may take a package next. Pure. */
import type { RunPlan } from './run-context.ts';
import { agentOf, type Role, type WpState } from './run-state.ts';

/**
 * In order of preference; empty when everybody was given up on. An agent that is to go on stands alone. Nobody reviews
 * own work, unless no other reviewer is configured at all: one that failed is no reason to do without.
 */
export function candidates(wp: WpState, role: Role, plan: RunPlan): readonly string[] {
  const inOrder = role === 'implementation' ? plan.agents.implementation : reviewersOf(wp, plan);
  const able = plan.chanceFrom === undefined ? inOrder : turned(inOrder, `${plan.chanceFrom} ${wp.wp_id} ${role}`);
  const untried = able.filter((agent) => !wp.tried[role].includes(agent));
  const current = agentOf(wp, role);
  return current !== null && untried.includes(current) ? [current] : untried;
}

/** True when `agent` would look at its own work. */
export function isSelfReview(wp: WpState, role: Role, agent: string): boolean {
  return role === 'review' && agent === wp.implementation_agent;
}

/** The same list, beginning somewhere else; where, the text decides (FNV-1a). */
function turned(list: readonly string[], text: string): readonly string[] {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  const start = list.length === 0 ? 0 : hash % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

function reviewersOf(wp: WpState, plan: RunPlan): readonly string[] {
  const others = plan.agents.review.filter((agent) => agent !== wp.implementation_agent);
  if (others.length > 0) return others;
  return wp.implementation_agent === null ? plan.agents.implementation : [wp.implementation_agent];
}
