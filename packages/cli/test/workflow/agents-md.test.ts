/** What `init` promises about AGENTS.md: our section between its markers, and everything else as it was. */
import { chmodSync, existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { withAgentsSection } from '../../src/workflow/files/agents-md.ts';
import { init } from '../../src/workflow/services/init.ts';
import { createRepo, type TestRepo } from './support/workspace.ts';

const START = '<!-- spec-kitty:start -->';
const END = '<!-- spec-kitty:end -->';
const OURS = withAgentsSection('', 'AGENTS.md');
/** What an older version might have written. */
const OLD = `${START}\nold words\n${END}`;

function commit(repo: TestRepo, path: string, text: string): void {
  repo.write(path, text);
  repo.git('add', '-f', path);
  repo.git('commit', '-qm', 'Ours');
}

test('a new AGENTS.md holds the section, short enough to be read, and is part of the one commit of init', async () => {
  const repo = createRepo();

  const result = await init(repo.deps, { cwd: repo.root });

  const text = repo.read('AGENTS.md');
  expect(text.startsWith(`${START}\n`)).toBe(true);
  expect(text.endsWith(`\n${END}\n`)).toBe(true);
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(result.files_committed).toContain('AGENTS.md');
  expect([repo.commits(), repo.status()]).toEqual([2, '']);
});

test('names the commands of a package from its start to its end', () => {
  const commands = [...OURS.matchAll(/`spec-kitty ([^`]*)`/g)].map((match) => match[1]);

  expect(commands).toEqual([
    'agent workflow implement WP01 --agent NAME',
    'implement WP01',
    'agent tasks mark-status T001 T002 --status done',
    'agent tasks move-task WP01 --to for_review --agent NAME',
    'agent workflow review WP01 --agent NAME',
    'agent tasks move-task WP01 --to done --agent NAME',
    'agent tasks move-task WP01 --to planned --review-feedback-file FILE --agent NAME',
    'agent tasks list-tasks --lane planned',
    'agent tasks add-history WP01 --note "TEXT"',
    'merge',
    'accept',
    'sync reconcile',
  ]);
});

test.each([
  ['before and after', `# Ours\n\n${OLD}\n\nMore of ours\n`, `# Ours\n\n${OURS.trimEnd()}\n\nMore of ours\n`],
  ['no final newline', `# Ours\n${OLD}`, `# Ours\n${OURS.trimEnd()}`],
  ['a byte order mark', `\uFEFF${OLD}\n`, `\uFEFF${OURS}`],
  ['blanks around the markers', `  ${START}  \nx\n  ${END}  \n`, `  ${OURS.trimEnd()}  \n`],
  ['line ends of Windows', '# Ours\r\n' + OLD.replaceAll('\n', '\r\n') + '\r\n', '# Ours\r\n' + crlf(OURS)],
  [
    'markers spoken of in a sentence',
    `Between \`${START}\` and \`${END}\`.\n`,
    `Between \`${START}\` and \`${END}\`.\n\n${OURS}`,
  ],
])('replaces the section where it stands and keeps the rest: %s', (_, before, after) => {
  expect(withAgentsSection(before, 'AGENTS.md')).toBe(after);
  expect(withAgentsSection(after, 'AGENTS.md')).toBe(after);
});

test.each([
  ['a text', '# Ours\n', `# Ours\n\n${OURS}`],
  ['no final newline', '# Ours', `# Ours\n\n${OURS}`],
  ['line ends of Windows', '# Ours\r\n', `# Ours\r\n\r\n${crlf(OURS)}`],
  ['a byte order mark alone', '\uFEFF', `\uFEFF${OURS}`],
])('adds the section behind %s', (_, before, after) => {
  expect(withAgentsSection(before, 'AGENTS.md')).toBe(after);
});

test.each([
  ['only the start', `# Ours\n${START}\nx\n`, 2, 'no <!-- spec-kitty:end --> after it'],
  ['only the end', `x\n\n${END}\n`, 3, 'no <!-- spec-kitty:start --> before it'],
  ['the end first', `${END}\n${START}\n`, 1, 'no <!-- spec-kitty:start --> before it'],
  ['two starts', `${START}\n\n${START}\n${END}\n`, 3, 'a second time'],
  ['two sections', `${OLD}\n${OLD}\n`, 4, 'once more'],
])('refuses broken markers with file and line, and changes nothing: %s', async (_, text, line, why) => {
  const repo = createRepo();
  commit(repo, 'AGENTS.md', text);

  await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'markers-broken',
    message: expect.stringMatching(new RegExp(`^AGENTS\\.md, line ${line}: .*${why}`)),
    details: { path: 'AGENTS.md', line },
  });
  expect([repo.read('AGENTS.md'), repo.status(), repo.commits()]).toEqual([text, '', 2]);
  expect(existsSync(join(repo.root, '.kittify'))).toBe(false);
  expect(await init(repo.deps, { cwd: repo.root, agentsMd: false })).toMatchObject({ changed: true });
});

test('a later init renews an older section in a commit of its own, and the one after changes nothing', async () => {
  const repo = createRepo();
  await init(repo.deps, { cwd: repo.root });
  commit(repo, 'AGENTS.md', `# Ours\n\n${OLD}\n`);

  const renewed = await init(repo.deps, { cwd: repo.root });
  const again = await init(repo.deps, { cwd: repo.root });

  expect(renewed).toMatchObject({ changed: true, files_committed: ['AGENTS.md'] });
  expect(again).toMatchObject({ changed: false, commit_hash: null });
  expect(repo.read('AGENTS.md')).toBe(`# Ours\n\n${OURS}`);
});

test('an AGENTS.md with changes of the user, or not yet committed, is refused, and the remedy helps', async () => {
  const repo = createRepo();
  commit(repo, 'AGENTS.md', '# Ours\n');
  repo.write('AGENTS.md', '# Ours, changed\n');
  const other = createRepo();
  other.write('AGENTS.md', '# Not committed yet\n');

  for (const each of [repo, other]) {
    const refusal: unknown = await init(each.deps, { cwd: each.root }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'file-dirty',
      remedy: "git add -- AGENTS.md && git commit -m 'Update AGENTS.md' -- AGENTS.md && spec-kitty init",
    });
    expect(existsSync(join(each.root, '.kittify'))).toBe(false);
    each.git('add', '--', 'AGENTS.md');
    each.git('commit', '-qm', 'Update AGENTS.md', '--', 'AGENTS.md');
    expect(await init(each.deps, { cwd: each.root })).toMatchObject({ changed: true });
  }
});

test('leaves AGENTS.md alone when told to, or when it is kept out of git', async () => {
  const told = createRepo();
  commit(told, 'AGENTS.md', '# Ours\n');
  const ignored = createRepo();
  commit(ignored, '.gitignore', 'AGENTS.md\n');
  ignored.write('AGENTS.md', '# Mine alone\n');

  await init(told.deps, { cwd: told.root, agentsMd: false });
  await init(ignored.deps, { cwd: ignored.root });

  expect(told.read('AGENTS.md')).toBe('# Ours\n');
  expect(ignored.read('AGENTS.md')).toBe('# Mine alone\n');
  expect(ignored.git('ls-files', 'AGENTS.md')).toBe('');
});

test('writes into the file a link leads to, and refuses one that leads out of the repository', async () => {
  const repo = createRepo();
  symlinkSync('CLAUDE.md', join(repo.root, 'AGENTS.md'));
  repo.write('CLAUDE.md', '# Ours\n');
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Link');
  const other = createRepo();
  symlinkSync('/etc/hostname', join(other.root, 'AGENTS.md'));

  const result = await init(repo.deps, { cwd: repo.root });

  expect(result.files_committed).toContain('CLAUDE.md');
  expect(repo.read('CLAUDE.md')).toBe(`# Ours\n\n${OURS}`);
  expect(lstatSync(join(repo.root, 'AGENTS.md')).isSymbolicLink()).toBe(true);
  await expect(init(other.deps, { cwd: other.root })).rejects.toMatchObject({
    code: 'link-leads-away',
    remedy: 'spec-kitty init --no-agents-md',
  });
});

test('a commit that a hook refuses leaves AGENTS.md as it was', async () => {
  const repo = createRepo();
  commit(repo, 'AGENTS.md', '# Ours\r\nlast');
  repo.write('.git/hooks/pre-commit', '#!/bin/sh\nexit 1\n');
  const bytes = readFileSync(join(repo.root, 'AGENTS.md'));
  repo.git('config', 'core.hooksPath', '.git/hooks');
  chmodSync(join(repo.root, '.git/hooks/pre-commit'), 0o755);

  await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'commit-refused' });

  expect(readFileSync(join(repo.root, 'AGENTS.md')).equals(bytes)).toBe(true);
  expect(repo.status()).toBe('');
});

function crlf(text: string): string {
  return text.replaceAll('\n', '\r\n');
}
