/**
 * `.kittify/orchestration-state.json`: written whole or not at all, with the state before it beside it as `.bak`. A file
 * that was damaged is never copied over a good one. Knows the file system only.
 */
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { readText, writeText } from '../files/text-files.ts';
import { isoTime, type RunState } from './run-state.ts';

/** Relative to the project root. */
export const STATE_FILE = '.kittify/orchestration-state.json';
const BACKUP_FILE = `${STATE_FILE}.bak`;

/** What stands there. `warning`: the file was damaged, and this is the state before it. */
export interface StoredState {
  readonly state: RunState;
  readonly warning?: string;
}

/**
 * The state of the project's run; undefined when there is none. Refuses with `run-state-newer` when a later version wrote
 * it, and with `run-state-damaged` when neither the file nor the copy beside it can be read.
 */
export async function readState(root: string): Promise<StoredState | undefined> {
  const [main, backup] = [await readOne(root, STATE_FILE), await readOne(root, BACKUP_FILE)];
  if (main.kind === 'ok') return { state: withHeartbeat(main.state, statSync(join(root, STATE_FILE)).mtimeMs) };
  if (main.kind === 'newer') throw newer(main.version);
  if (main.kind === 'none' && backup.kind === 'none') return undefined;
  const fault = main.kind === 'none' ? 'is gone' : `is damaged (${main.where})`;
  if (backup.kind === 'ok') {
    return {
      state: backup.state,
      warning: `${STATE_FILE} ${fault}; going on from the state before it, ${BACKUP_FILE}.`,
    };
  }
  throw new WorkflowError('run-state-damaged', `${STATE_FILE} ${fault}, and no whole copy is beside it.`, {
    kind: 'runtime',
    remedy: 'spec-kitty orchestrate --abort   (forgets the run; branches, workspaces and lanes stay as they are)',
  });
}

/** Replaces the state; what stood there, if it was whole, becomes the `.bak`. */
export function writeState(root: string, state: RunState): void {
  const before = readRaw(root, STATE_FILE);
  if (before !== undefined && isWhole(before)) writeText(join(root, BACKUP_FILE), before);
  writeText(join(root, STATE_FILE), `${JSON.stringify(state, undefined, 2)}\n`);
  touchState(root, Date.parse(state.heartbeat_at));
}

/** Shows life: the heartbeat is the file's own time, so it costs one system call and can damage nothing. */
export function touchState(root: string, nowMs: number): void {
  const seconds = nowMs / 1000;
  if (existsSync(join(root, STATE_FILE))) utimesSync(join(root, STATE_FILE), seconds, seconds);
}

/** Forgets the run, whatever state the files are in. The copy goes first: alone it would count as a run. */
export function deleteState(root: string): void {
  const folder = join(root, '.kittify');
  if (!existsSync(folder)) return;
  const name = STATE_FILE.slice('.kittify/'.length);
  const ours = readdirSync(folder).filter((each) => each.startsWith(`${name}.`));
  for (const each of [...ours, name]) rmSync(join(folder, each), { force: true });
}

type Reading =
  | { readonly kind: 'none' }
  | { readonly kind: 'ok'; readonly state: RunState }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged'; readonly where: string };

async function readOne(root: string, file: string): Promise<Reading> {
  const source = readRaw(root, file);
  if (source === undefined) return { kind: 'none' };
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return { kind: 'damaged', where: 'it is no whole JSON document' };
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > 1) return { kind: 'newer', version };
  const { checkState } = await import('./state-schema.ts');
  const checked = checkState(value);
  if (checked.kind === 'wrong') return { kind: 'damaged', where: `at ${checked.where}` };
  return { kind: 'ok', state: checked.state };
}

function withHeartbeat(state: RunState, touchedMs: number): RunState {
  return touchedMs > Date.parse(state.heartbeat_at) ? { ...state, heartbeat_at: isoTime(touchedMs) } : state;
}

/** Bytes that are no text are a damaged file, too. */
function readRaw(root: string, file: string): string | undefined {
  try {
    return readText(join(root, file), file);
  } catch (error) {
    if (error instanceof WorkflowError && error.code === 'file-not-utf8') return '';
    throw error;
  }
}

function isWhole(source: string): boolean {
  try {
    const value: unknown = JSON.parse(source);
    return typeof value === 'object' && value !== null && 'work_packages' in value;
  } catch {
    return false;
  }
}

function newer(version: number): WorkflowError {
  return new WorkflowError(
    'run-state-newer',
    `${STATE_FILE} has version ${version}; this spec-kitty reads version 1 only.`,
    {
      remedy: 'Upgrade spec-kitty, or use the one that started the run.',
      details: { version },
    },
  );
}
