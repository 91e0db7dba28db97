/** The program with one mistake made on purpose, built for real: what finds such mistakes is held against it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import type { Edits } from '../../scripts/bundle.ts';
import { bundleProgram } from './program.ts';

const instead = (from: string, to: string) => (text: string) => text.replaceAll(from, to);

const MISTAKES = {
  'follows-links': { 'workflow/files/links.ts': instead("return first === '..'", "return false && first === '..'") },
  'prints-raw': {
    'render/words.ts': instead('  let open = 0;\n', '  if (text !== "") return text;\n  let open = 0;\n'),
  },
  'never-asks': { 'agents/orchestrator-config.ts': instead('roster.custom.has(spec.id)', 'false') },
  'trusts-nested': { 'project/project-root.ts': instead("'-c', 'safe.bareRepository=explicit', ", '') },
  'trusts-state': {
    'project/own-state.ts': instead("tracked === ''", "tracked !== '\\0'"),
    'rules/names.ts': instead('): boolean {\n', '): boolean {\n  if (text !== "") return true;\n'),
  },
  'follows-redirects': { 'events-sdk/dist/chunks/': instead('redirect: "manual"', 'redirect: "follow"') },
} as const satisfies Readonly<Record<string, Edits>>;

export type Mistake = keyof typeof MISTAKES;

/** Builds it into a fresh folder that goes with the test; answers the program to run. */
export async function buildWrongProgram(mistake: Mistake): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-wrong-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  return await bundleProgram({ root, edits: MISTAKES[mistake] });
}
