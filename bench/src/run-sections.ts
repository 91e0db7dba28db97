/** Runs sections one after the other; one that fails is told as failed, and the others are measured all the same. */
import { tmpdir } from 'node:os';

import type { Effort, Measured, Section } from './section.ts';

export type Result = Pick<Section, 'name' | 'title'> & { readonly seconds: number } & (
    | { readonly measured: Measured }
    | { readonly failure: string }
  );

/** Results in the order of the sections. `progress` hears of each when it is over. */
export async function runSections(
  sections: readonly Section[],
  effort: Effort,
  progress: (line: string) => void,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const section of sections) {
    const startedAt = performance.now();
    const answer = await attempt(section, effort);
    const seconds = (performance.now() - startedAt) / 1000;
    results.push({ name: section.name, title: section.title, seconds, ...answer });
    progress(`${section.name}: ${'failure' in answer ? `failed: ${answer.failure}` : `${Math.round(seconds)} s`}`);
  }
  return results;
}

async function attempt(
  section: Section,
  effort: Effort,
): Promise<{ readonly measured: Measured } | { readonly failure: string }> {
  try {
    return { measured: await section.measure(effort) };
  } catch (cause) {
    return { failure: describe(cause) };
  }
}

/** One line, and no path of this machine: it goes on the page. */
function describe(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = message.split('\n').find((part) => part.trim() !== '') ?? 'for no reason given';
  return line.replaceAll(process.cwd(), '.').replaceAll(tmpdir(), 'TMP').slice(0, 300);
}
