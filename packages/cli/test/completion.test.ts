/** The completion scripts, asked by the shells themselves. A shell that is not installed is not asked. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { packageRoot } from '../scripts/bundle.ts';
import { fishCompletion } from '../src/completion/fish.ts';
import { bashCompletion } from '../src/completion/bash.ts';
import { completionTable, type CommandFacts } from '../src/completion/table.ts';
import { zshCompletion } from '../src/completion/zsh.ts';

type Shell = 'bash' | 'zsh' | 'fish';

const program = join(packageRoot, 'bin/run.js');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spec-kitty-completion-'));
  writeFileSync(join(folder, 'feedback.md'), '');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function scriptFor(shell: Shell): string {
  return execFileSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' });
}

/** How each shell is asked what can follow `words`; the last of them is what has been typed of the next one. */
const QUESTIONS: Readonly<Record<Shell, (script: string, words: readonly string[]) => readonly string[]>> = {
  bash: (script, words) => {
    // As bash does it, whose words break at `=` too.
    const broken = words.flatMap((word) => word.split(/(=)/).filter((part, index) => part !== '' || index === 0));
    const ask = `${script}
      COMP_WORDS=(spec-kitty "$@"); COMP_CWORD=$#
      _spec_kitty; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return ['--norc', '--noprofile', '-c', ask, 'bash', ...broken];
  },
  zsh: (script, words) => {
    // The functions through which a script hands over what it knows, and the variables it is asked with.
    const ask = `_describe() { print -l -- "\${(@)\${(@P)2}%%:*}" }
      _files() { print -l -- *(N) }
      compset() { PREFIX="\${PREFIX#*=}" }
      ${script}
      words=(spec-kitty "$@"); CURRENT=$(( $# + 1 )); PREFIX="\${words[CURRENT]}"
      found=("\${(@f)$(_spec_kitty)}")
      print -l -- "\${(@M)found:#\${\${words[CURRENT]}#--*=}*}"`;
    return ['-f', '-c', ask, 'zsh', ...words];
  },
  fish: (script, words) => ['--no-config', '-c', `${script}\ncomplete -C "spec-kitty ${words.join(' ')}"`],
};

/** What the shell offers. */
function ask(shell: Shell, script: string, words: readonly string[]): readonly string[] {
  const ended = spawnSync(shell, QUESTIONS[shell](script, words), { cwd: folder, encoding: 'utf8' });

  expect(ended.stderr).toBe('');
  // fish puts what it says about a word behind a tab, and offers a value with its flag.
  const offered = ended.stdout.split('\n').map((line) => line.split('\t')[0]?.replace(/^--[\w-]+=/, '') ?? '');
  return offered.filter((line) => line !== '').toSorted();
}

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ['--version']).status === 0;

describe.for(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  test.for([
    ['commands and topics', ['i'], ['implement', 'init']],
    ['the commands of a topic', ['sync', 're'], ['reconcile', 'rejected', 'retarget']],
    ['the commands of a topic within a topic', ['sync', 'rejected', ''], ['drop', 'export', 'list', 'retry', 'show']],
    ['flags', ['agent', 'tasks', 'move-task', 'WP01', '--re'], ['--review-feedback-file', '--reviewer']],
    ['both forms of a flag', ['init', '--agents'], ['--agents', '--agents-md']],
    ['flags behind a switch in front of the command', ['--json', 'sync', 'now', '--re'], ['--report']],
    [
      'the lanes a package can go to',
      ['agent', 'tasks', 'move-task', 'WP01', '--to', ''],
      ['doing', 'done', 'for_review', 'planned'],
    ],
    ['the values a help text spells out', ['accept', '--mode', ''], ['auto', 'checklist', 'local', 'pr']],
    ['values behind an equals sign', ['accept', '--mode=ch'], ['checklist']],
    ['files', ['agent', 'tasks', 'move-task', 'WP01', '--review-feedback-file', 'fe'], ['feedback.md']],
    ['the shells it knows', ['completion', ''], ['bash', 'fish', 'zsh']],
    ['nothing where anything can stand', ['implement', 'WP'], []],
  ] as const)('offers %s', ([, words, wanted], { skip }) => {
    skip(!isInstalled(shell), `${shell} is not installed`);

    expect(ask(shell, scriptFor(shell), words)).toEqual(wanted);
  });
});

describe('the script', () => {
  const commands: readonly CommandFacts[] = [
    {
      id: 'one',
      summary: "The team's `first` $(command). With more to say",
      flags: { secret: { name: 'secret', hidden: true, type: 'boolean' } },
      args: {},
    },
    { id: 'gone', hidden: true, flags: {}, args: {} },
  ];
  const table = completionTable(commands, []);

  test('holds neither hidden commands nor hidden flags', () => {
    const text = JSON.stringify(table);

    expect(text).toContain('one');
    expect(text).not.toMatch(/gone|secret/);
  });

  test('quotes what a shell would obey', () => {
    for (const script of [zshCompletion('kitty', table), fishCompletion('kitty', table)])
      expect(script).toMatch(/'(?:one:)?The team’s `first` \$\(command\)'/);
    expect(bashCompletion('kitty', table)).not.toContain('$(command)');
  });

  test('is one document under --json', () => {
    const answer = execFileSync(process.execPath, [program, 'completion', 'bash', '--json'], { encoding: 'utf8' });

    const document = JSON.parse(answer) as { readonly script: string };
    expect(document).toMatchObject({ shell: 'bash' });
    expect(document.script).toBe(scriptFor('bash'));
  });
});
