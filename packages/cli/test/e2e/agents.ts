/** Coding agents on PATH for a world: real programs that do what a script says, for the built `spec-kitty orchestrate`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { World } from './world.ts';

const program = fileURLToPath(new URL('../workflow/orchestrate/support/fake-agent.mjs', import.meta.url));

/** One start of an agent, as it wrote it down. */
export interface DiaryEntry {
  readonly key: string;
  readonly agent: string;
  readonly pid: number;
}

/** What agents do, by `WP01 implementation claude`, `WP01 implementation`, or `implementation`; one word per start. */
export type Script = Readonly<Record<string, readonly string[]>>;

/** Puts `claude` and `codex` on the world's PATH and configures them; `settings` are further lines of `agents.orchestrator`. */
export function installAgents(world: World, settings: readonly string[] = []) {
  const folder = join(world.root, 'agents');
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, form] of [
    ['claude', 'claude-json'],
    ['codex', 'codex-jsonl'],
  ] as const) {
    const text = `#!/bin/sh\n[ "$1" = --version ] && echo "${name} 1.2.3" && exit 0\nFAKE_AGENT_FORM=${form} exec '${process.execPath}' '${program}'\n`;
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
  const script = join(folder, 'script.json');
  const say = (words: Script): void => {
    writeFileSync(script, JSON.stringify(words));
  };
  say({});
  world.env['PATH'] = `${bin}:${process.env['PATH'] ?? ''}`;
  world.env['FAKE_AGENT_SCRIPT'] = script;
  world.env['FAKE_AGENT_DIARY'] = folder;

  const config = join(world.repository, '.kittify/config.yaml');
  const block = [
    '  available: [claude, codex]',
    '  allow_unattended: true',
    '  orchestrator:',
    ...settings.map((line) => `    ${line}`),
  ];
  writeFileSync(config, readFileSync(config, 'utf8').replace(/^ {2}available: \[\]$/m, block.join('\n')));
  world.git('commit', '--quiet', '--all', '--message', 'Agents');
  return {
    say,
    diary: (): readonly DiaryEntry[] => {
      const file = join(folder, 'diary');
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
      return lines.map((line) => JSON.parse(line) as DiaryEntry); // written by the fake agent
    },
  };
}

/** Processes of any run of agents that are alive now, by their mark; on Linux only. */
export function runProcesses(runId: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isMarked = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`SPEC_KITTY_RUN=${runId}`);
        return isMarked && !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      } catch {
        return false;
      }
    });
}
