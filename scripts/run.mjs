// @ts-check
/**
 * The one door to the repository: `node scripts/run.mjs <command>`. Works with any Node from 20 on, on a fresh
 * clone: it installs the pinned toolchain once, then runs the command under the toolchain's own Node.
 * Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// pnpm 11 does not start on Node 20, which this script must still serve (docs/decisions/0001-toolchain-node.md).
const PNPM = 'pnpm@10.34.9';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.toolchain-stamp');
const isWindows = process.platform === 'win32';

/** Command name → what runs under the toolchain's Node, one after the other. */
const COMMANDS = {
  demo: [
    ['turbo', 'run', 'build', '--output-logs=errors-only'],
    ['node', 'examples/quickstart/src/main.ts'],
  ],
  check: [['node', 'scripts/check.ts']],
  trace: [['node', 'scripts/trace.ts']],
  bench: [
    ['turbo', 'run', 'build', '--output-logs=errors-only'],
    ['node', 'bench/src/main.ts'],
  ],
  storm: [
    ['turbo', 'run', 'build', '--output-logs=errors-only'],
    ['node', 'tools/storm/src/main.ts'],
  ],
  mutation: [
    ['turbo', 'run', 'build', '--output-logs=errors-only'],
    ['node', 'tools/mutation/src/main.ts'],
  ],
  reference: [['node', 'tools/api-reference/node_modules/typedoc/bin/typedoc', '--options', 'tools/api-reference']],
  format: [['oxfmt', '.']],
};

const environment = {
  ...process.env,
  // The real binary stands before `.bin`: the shim pnpm writes for it stays in between and swallows signals.
  PATH: [join(root, 'node_modules', 'node', 'bin'), join(root, 'node_modules', '.bin'), process.env.PATH].join(
    delimiter,
  ),
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
};

/**
 * Runs one program and answers its exit code; a quiet one is heard only when it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{ quiet?: boolean }} [options]
 * @returns {Promise<number>}
 */
function run(program, args, { quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: environment,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: isWindows,
    });
    /** @type {Buffer[]} */
    const heard = [];
    child.stdout?.on('data', (chunk) => heard.push(chunk));
    child.stderr?.on('data', (chunk) => heard.push(chunk));
    // Ctrl-C reaches the child through the terminal's process group; a plain `kill` reaches only us, so it is passed on.
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    const ignore = () => {};
    process.on('SIGTERM', pass);
    process.on('SIGHUP', pass);
    process.on('SIGINT', ignore);
    child.on('error', (cause) => {
      console.error(`Cannot start ${program}: ${cause.message}`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      process.off('SIGTERM', pass);
      process.off('SIGHUP', pass);
      process.off('SIGINT', ignore);
      const exitCode = code ?? 128 + ({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGKILL: 9 }[String(signal)] ?? 0);
      if (quiet && exitCode !== 0) process.stderr.write(Buffer.concat(heard));
      resolve(exitCode);
    });
  });
}

/** What an install depends on: when it changes, node_modules is out of date. */
function wantedStamp() {
  const hash = createHash('sha256').update(PNPM);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** @returns {Promise<boolean>} true when the toolchain stands */
async function ensureToolchain() {
  const wanted = wantedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return true;
  console.error(`Installing the toolchain and dependencies (${PNPM}, once per lockfile) …`);
  const code = await run('npx', ['-y', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    quiet: true,
  });
  if (code !== 0) {
    console.error(`The install failed (exit code ${code}); its output is above.`);
    console.error('Check that the npm registry answers (`npm ping`) and that package.json and pnpm-lock.yaml agree,');
    console.error('then run the same command again: what is installed already is kept.');
    return false;
  }
  writeFileSync(stampFile, wanted);
  return true;
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const steps = COMMANDS[/** @type {keyof typeof COMMANDS} */ (name)];
  if (steps === undefined) {
    console.error(`Unknown command "${name}". Commands: ${Object.keys(COMMANDS).join(', ')}.`);
    return 2;
  }
  const script = steps.at(-1)?.[1];
  if (script?.endsWith('.ts') === true && !existsSync(join(root, script))) {
    console.error(`There is no ${name} here: ${script} does not exist.`);
    return 1;
  }
  if (!(await ensureToolchain())) return 1;
  for (const [index, [program = '', ...fixed]] of steps.entries()) {
    const isLast = index === steps.length - 1;
    const code = await run(program, isLast ? [...fixed, ...args] : fixed, { quiet: !isLast });
    if (code !== 0) return code;
  }
  return 0;
}

process.exitCode = await main();
