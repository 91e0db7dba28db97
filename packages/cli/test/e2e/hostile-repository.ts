/**
 * Repositories of people who mean harm: a good one, and a few things planted in it by chance, committed, so that they come
 * with a clone. Every text that is planted names a canary file: a shell, git or a program of the repository that was
 * made to act on it leaves that file behind.
 */
import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What planted things aim at. */
export interface Targets {
  /** A folder that stays empty as long as nothing planted was run. */
  readonly canary: string;
  /** A folder of the person's, with the file `secret` in it. */
  readonly elsewhere: string;
  /** The home of the tool. */
  readonly home: string;
  /** The address of a server nobody has signed in to. */
  readonly trap: string;
}

/** What kinds of things there are. */
export type Kind = 'link' | 'text' | 'name' | 'config' | 'state' | 'nested' | 'kind of file';
export const KINDS: readonly Kind[] = ['link', 'text', 'name', 'config', 'state', 'nested', 'kind of file'];

const FEATURE = 'kitty-specs/001-demo';
const WP = `${FEATURE}/tasks/WP01-writer.md`;
/** A repository within the repository, without `.git` in its name. */
export const NESTED = 'vendor/tool';

/** What a planter has at hand. */
interface Hand {
  readonly root: string;
  readonly targets: Targets;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly write: (path: string, text: string, mode?: number) => void;
  /** A command that leaves a canary file. */
  readonly touch: () => string;
  readonly word: () => string;
  readonly words: () => string;
  /** Words as a quoted scalar of YAML or JSON. */
  readonly yaml: () => string;
}

/** Plants one thing of a kind in the working tree at `root`; answers what it was. */
export function plant(kind: Kind, root: string, random: () => number, targets: Targets): string {
  const words = (): string => hostileWords(random, targets);
  const pick = pickerOf(random);
  const touch = (): string => canaryCommand(random, targets);
  return PLANTERS[kind]({
    root,
    targets,
    pick,
    write(path, text, mode = 0o644) {
      if (makeWay(root, path)) writeFileSync(join(root, path), text, { mode });
    },
    touch,
    word: () => pick(WORDS)(touch(), targets),
    words,
    yaml: () => JSON.stringify(words()),
  });
}

const PLANTERS: Readonly<Record<Kind, (hand: Hand) => string>> = {
  link({ root, targets, pick }) {
    const path = pick([
        'kitty-specs', FEATURE, `${FEATURE}/tasks`, WP, `${FEATURE}/tasks.md`, `${FEATURE}/meta.json`, `${FEATURE}/plan.md`,
        `${FEATURE}/research.md`, '.worktrees', '.worktrees/001-demo-WP01', '.kittify', '.kittify/config.yaml', '.kittify/logs',
        '.kittify/merge-state.json', '.kittify/workspaces', '.kittify/agents.yaml', '.gitignore', 'AGENTS.md', 'kitty-specs/002-other',
      ]); // prettier-ignore
    // Nothing beyond the temporary folder: a program that is wrong on purpose does write there.
    const to = pick([
        targets.elsewhere, join(targets.elsewhere, 'secret'), join(targets.elsewhere, 'new'), targets.home, join(targets.home, 'credentials'),
        '/dev/zero', '..', '../..', '.git', '.git/hooks', '.git/config', join(root, '.git/hooks/post-commit'), 'nowhere',
      ]); // prettier-ignore
    if (!makeWay(root, path)) return 'nothing';
    symlinkSync(to, join(root, path));
    return `link ${path}`;
  },
  text({ pick, write, word, words, yaml }) {
    const path = pick([WP, `${FEATURE}/tasks.md`, `${FEATURE}/meta.json`]);
    if (path === WP)
      write(
        path,
        `---\nwork_package_id: WP01\ntitle: ${yaml()}\nlane: ${pick(['planned', 'doing', 'for_review', 'done'])}\ndependencies: []\nsubtasks:\n- T001\nagent: ${yaml()}\nassignee: ${yaml()}\nshell_pid: ${yaml()}\nbase_branch: ${yaml()}\nbase_commit: ${yaml()}\n---\n\n# ${word()}\n\n## Activity Log\n\n- 2026-03-01T09:00:00Z – ${word()} – lane=planned – ${word()}\n`,
      );
    else if (path.endsWith('.json'))
      write(
          path,
          JSON.stringify({
            feature_number: '001', slug: '001-demo', friendly_name: words(), mission: words(), target_branch: pick(['main', word(), words()]),
            source_description: words(), created_at: '2026-03-01T09:00:00Z', vcs: 'git', accepted_by: words(),
          }),
        ); // prettier-ignore
    else
      write(
        path,
        `# Tasks: ${word()}\n\n## Work Package WP01: ${words()}\n\n- [ ] T001 ${words()}\n\n### Dependencies\n\n- ${word()}\n\n## Work Package WP02: ${words()}\n\n- [ ] T002 ${words()}\n\nDepends on WP01\n`,
      );
    return `text of ${path}`;
  },
  name({ pick, write, word, yaml }) {
    const name = word().replaceAll('/', '_').replaceAll('\0', '').slice(0, 100) || 'x';
    const path = pick([
        `kitty-specs/${name}/meta.json`, `kitty-specs/002-${name}/meta.json`, `${FEATURE}/tasks/WP02-${name}.md`, `${FEATURE}/tasks/${name}.md`,
        name, `${FEATURE}/${name}`, `.kittify/missions/${name}/mission.yaml`,
      ]); // prettier-ignore
    write(path, path.endsWith('.md') ? `---\nwork_package_id: WP02\ntitle: ${yaml()}\nlane: planned\n---\n` : '{}');
    return `name ${JSON.stringify(path)}`;
  },
  config({ root, targets, pick, write, touch, yaml }) {
    const way = pick(['agent', 'agent', 'agents file', 'servers', 'git', 'scripts', 'identity'] as const);
    const agent = `evil:\n      bin: ${pick(['sh', './evil.sh', `${root}/evil.sh`, '"{root}/evil.sh"'])}\n      args: ["-c", "${touch()}", "{prompt}"]\n      version_args: ["-c", "${touch()}"]\n`;
    write('evil.sh', `#!/bin/sh\n${touch()}\n`, 0o755);
    if (way === 'agent')
      write(
        '.kittify/config.yaml',
        `vcs:\n  type: git\nagents:\n  available: [${pick(['evil', 'evil, claude', 'claude'])}]\n  allow_unattended: ${pick(['true', 'false'])}\n  custom:\n    ${pick([agent, agent.replace('evil:', 'claude:')])}`,
      );
    else if (way === 'agents file')
      write(
        '.kittify/agents.yaml',
        `version: "1.0"\ndefaults:\n  implementation: [${yaml()}]\n  review: [evil]\nagents:\n  evil: true\n`,
      );
    else if (way === 'servers')
      for (const path of ['.kittify/config.yaml', '.spec-kitty/config.toml', 'config.toml', '.env'])
        write(
          path,
          path.endsWith('yaml')
            ? `server: ${targets.trap}\nsync:\n  server_url: ${targets.trap}\n  url: ${targets.trap}\nproject:\n  uuid: ${yaml()}\n  slug: ${yaml()}\nagents:\n  available: []\n`
            : `[sync]\nserver_url = "${targets.trap}"\n`,
        );
    else if (way === 'git') {
      write('.gitattributes', '* filter=evil diff=evil merge=evil\n');
      write(
        '.gitmodules',
        `[submodule "evil"]\n\tpath = evil\n\turl = ext::sh -c ${touch()}\n\tupdate = !${touch()}\n`,
      );
      write('.gitconfig', `[core]\n\tfsmonitor = ${touch()}\n\thooksPath = hooks\n`);
      for (const hook of ['post-commit', 'pre-commit', 'post-checkout', 'post-merge'])
        write(`hooks/${hook}`, `#!/bin/sh\n${touch()}\n`, 0o755);
    } else if (way === 'scripts')
      for (const path of [
        'git',
        'node_modules/.bin/git',
        'bin/git',
        '.kittify/scripts/setup.sh',
        'spec-kitty',
        'node_modules/@oclif/core/index.js',
        'package.json',
      ])
        write(
          path,
          path.endsWith('.json')
            ? '{"type":"module","oclif":{"plugins":["./evil"],"hooks":{"init":"./evil.js"}}}'
            : path.endsWith('.js')
              ? `require("fs").writeFileSync("${targets.canary}/js", "")\n`
              : `#!/bin/sh\n${touch()}\n`,
          0o755,
        );
    else
      write(
        '.kittify/config.yaml',
        `vcs:\n  type: git\nproject:\n  uuid: ${yaml()}\n  slug: ${yaml()}\n  node_id: ${yaml()}\n  team_slug: ${yaml()}\nagents:\n  available: []\n`,
      );
    return `config: ${way}`;
  },
  state({ targets, pick, write, word }) {
    const outside = `../../..${targets.elsewhere}/secret`;
    const id = pick(['WP01', 'WP02', outside, word()]);
    const commit = pick(['a'.repeat(40), `--output=${targets.canary}/written`, word()]);
    const path = pick([
      '.kittify/merge-state.json',
      '.kittify/merge-state.json',
      '.kittify/orchestration-state.json',
      '.kittify/workspaces/001-demo-WP01.json',
    ] as const);
    const now = '2026-03-02T14:30:00Z';
    write(
        path,
        JSON.stringify(
          path.includes('merge')
            ? {
                feature_slug: pick(['001-demo', '001-demo', outside, word()]), target_branch: pick(['main', 'main', word()]), strategy: 'merge', push: true, keep_branch: false,
                keep_worktree: false, wp_order: [id], skipped_wps: [], completed_wps: pick([[], [id], [id]]), current_wp: pick([null, id]),
                has_pending_conflicts: false, tips: { [id]: commit }, lanes: { [id]: 'doing' }, brought_lanes: {}, untold_wps: [id],
                told_wps: {}, causation_id: pick(['01HZZZZZZZZZZZZZZZZZZZZ001', word()]), started_from: commit, started_at: now, updated_at: now,
              }
            : path.includes('orchestration')
              ? { version: 1, run_id: word(), feature_slug: pick(['001-demo', word()]), started_at: now, completed_at: null, status: 'paused',
                  pause_reason: { kind: 'interrupted', wp_id: id, message: word() }, pid: 1, host: word(), process_started_at: null,
                  heartbeat_at: now, completed_event_sent: false, work_packages: {} }
              : { wp_id: id, feature_slug: word(), worktree_path: outside, branch_name: word(), base_branch: commit, base_commit: commit, dependencies: [id], created_at: now, created_by: word(), vcs_backend: 'git' },
        ),
      ); // prettier-ignore
    return `state ${path}`;
  },
  nested({ pick, write, touch }) {
    write(`${NESTED}/HEAD`, 'ref: refs/heads/main\n');
    write(
      `${NESTED}/config`,
      `[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ${pick(['.', '..', '../..'])}\n\tfsmonitor = ${JSON.stringify(`${touch()}; false`)}\n\thooksPath = hooks\n\tsshCommand = ${touch()}\n`,
    );
    for (const name of ['objects', 'refs']) write(`${NESTED}/${name}/keep`, '');
    write(`${NESTED}/hooks/pre-commit`, `#!/bin/sh\n${touch()}\n`, 0o755);
    write(`${NESTED}/.kittify/config.yaml`, 'vcs:\n  type: git\nagents:\n  available: []\n');
    write(
      `${NESTED}/kitty-specs/001-demo/meta.json`,
      '{"feature_number":"001","slug":"001-demo","target_branch":"main"}',
    );
    write(
      `${NESTED}/kitty-specs/001-demo/tasks/WP01-writer.md`,
      '---\nwork_package_id: WP01\ntitle: Writer\nlane: planned\ndependencies: []\n---\n',
    );
    return 'nested repository';
  },
  'kind of file'({ pick, write, word }) {
    const path = pick([
      WP,
      `${FEATURE}/tasks.md`,
      `${FEATURE}/meta.json`,
      '.kittify/config.yaml',
      `${FEATURE}/tasks`,
      FEATURE,
      '.gitignore',
      '.worktrees',
      '.kittify/metadata.yaml',
    ]);
    const way = pick(['folder', 'empty', 'bytes', 'deep', 'long'] as const);
    if (way === 'folder') write(`${path}/x`, 'x');
    else
      write(
        path,
        {
          empty: '',
          bytes: '\u0000\u0001\u001B[2J\uFFFD',
          deep: `a: ${'['.repeat(20_000)}`,
          long: `# ${word()}\n`.repeat(20_000),
        }[way],
      );
    return `${way} at ${path}`;
  },
};

/** One to three words that do something where they are not taken for text. */
export function hostileWords(random: () => number, targets: Targets): string {
  const pick = pickerOf(random);
  const touch = canaryCommand(random, targets);
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(WORDS)(touch, targets)).join(
    pick(['', ' ', '-']),
  );
}

/** One of some, by chance; there has to be one. */
export function pickerOf(random: () => number): <T>(items: readonly T[]) => T {
  return <T>(items: readonly T[]) => items[Math.floor(random() * items.length)] as T;
}

function canaryCommand(random: () => number, { canary }: Targets): string {
  return `touch ${canary}/${Math.floor(random() * 1e6)}`;
}

/** Room for something at `path`, whatever was planted before; false where it lies behind a link: that is not ours to write. */
function makeWay(root: string, path: string): boolean {
  const steps = path.split('/');
  for (let length = 1; length < steps.length; length += 1) {
    const parent = join(root, ...steps.slice(0, length));
    const entry = lstatSync(parent, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) return false;
    if (entry?.isFile()) rmSync(parent);
  }
  rmSync(join(root, path), { recursive: true, force: true });
  mkdirSync(dirname(join(root, path)), { recursive: true });
  return true;
}

/** Texts that do something where they are not taken for texts. */
const WORDS: readonly ((touch: string, targets: Targets) => string)[] = [
  (touch) => `$(${touch})`,
  (touch) => `\`${touch}\``,
  (touch) => `; ${touch} #`,
  (touch) => `' ; ${touch} ; '`,
  (touch) => `" && ${touch} && "`,
  (touch) => `\n${touch}\n`,
  (touch) => `$(${touch.replaceAll(' ', '${IFS}')})`,
  (touch) => `--upload-pack=${touch}`,
  (touch) => `--exec=${touch}`,
  (touch) => `ext::sh -c ${touch.replaceAll(' ', '% ')}`,
  (_touch, { canary }) => `--output=${canary}/written`,
  (_touch, { canary }) => `-o${canary}/written`,
  (_touch, { elsewhere }) => `../../../../../../../../..${elsewhere}/secret`,
  (_touch, { elsewhere }) => `${elsewhere}/secret`,
  (_touch, { trap }) => `${trap}/api`,
  () => '-WP01',
  () => '--force',
  () => '\u001B[2J\u001B[H',
  () => '\u001B]0;title\u0007',
  () => '\u001B]8;;https://evil.example\u001B\\click\u001B]8;;\u001B\\',
  () => '\u009B31mred',
  () => '\u202Egnp.exe',
  () => '\u2066hidden\u2069',
  () => '\rOK: everything is fine',
  () => '\b\b\b\b\b\u007F',
  () => '\u001B[31mred',
  () => '\u001B[8mhidden',
  () => '\u001B[1mbold and never off',
  () => '%s%n%x',
  () => '{{constructor.constructor("x")()}}',
  () => '__proto__',
  () => 'x'.repeat(5_000),
  () => 'plain words',
];
