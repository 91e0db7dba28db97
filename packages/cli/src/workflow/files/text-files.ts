/** Reading and writing the project's text files: UTF-8 or a clear refusal, and never half a file. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { quoted } from '../rules/shell-word.ts';

/** No file of a project that a person or an agent writes is that long. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** A file's text, byte order mark included; undefined when there is no such file. `name` is how messages call it. */
export function readText(path: string, name: string): string | undefined {
  return asText(name, () => readRegular(path, name));
}

/** The same for a file the person named, which may be a pipe. */
export function readNamedText(path: string, name: string): string | undefined {
  return asText(name, () => readFileSync(path));
}

/** A link to a device or a pipe would never end, or never begin. */
function readRegular(path: string, name: string): Buffer {
  // O_NONBLOCK: opening a pipe nobody writes to would wait for ever. Windows has none.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const { size } = regular(fstatSync(file));
    if (size > MAX_TEXT_BYTES) throw new WorkflowError('file-too-large', `${name} is larger than 16 MiB.`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function regular<T extends { isFile(): boolean }>(stats: T): T {
  if (!stats.isFile()) throw new Error('It is no file.');
  return stats;
}

function asText(name: string, read: () => Buffer): string | undefined {
  let bytes: Buffer;
  try {
    bytes = read();
  } catch (cause) {
    if (cause instanceof WorkflowError) throw cause;
    if (isCode(cause, 'ENOENT')) return undefined;
    throw new WorkflowError('file-unreadable', `${name} cannot be read.`, { kind: 'runtime', cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    // Decoding with replacement characters would lose the user's letters at the next write.
    throw new WorkflowError('file-not-utf8', `${name} is not UTF-8 text.`, { cause });
  }
}

/** Replaces or creates a file in one step, keeping its permissions. Parent directories are made. */
export function writeText(path: string, text: string): void {
  makeFolder(dirname(path));
  if (isFolder(path))
    throw new WorkflowError('not-a-file', `${path} is a folder, and a file belongs there.`, { remedy: setAside(path) });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    // What a killed process left; never written through, should it be a link.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { flag: 'wx', flush: true, ...(mode === undefined ? {} : { mode }) });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
}

/** Names in a folder; none when it is not there. Refuses where something else stands in its place; `name` is how messages call it. */
export function listFolder(path: string, name: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return [];
    if (isCode(cause, 'ENOTDIR')) throw notAFolder(name, cause);
    throw new WorkflowError('folder-unreadable', `${name} cannot be looked into.`, { kind: 'runtime', cause });
  }
}

/** Whether there is a folder; a link that leads nowhere is none. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Makes a folder and those above it. Refuses where something else stands in the place of one. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    let inTheWay = path;
    while (!existsSync(inTheWay) && dirname(inTheWay) !== inTheWay) inTheWay = dirname(inTheWay);
    if (isFolder(inTheWay)) throw cause;
    throw notAFolder(inTheWay, cause);
  }
}

function notAFolder(name: string, cause: unknown): WorkflowError {
  return new WorkflowError('not-a-folder', `${name} is a file, and a folder belongs there.`, {
    remedy: setAside(name),
    cause,
  });
}

const setAside = (name: string): string => `mv ${quoted(name)} ${quoted(`${name}.old`)}`;

/** Remembers files as they are; the returned function puts them back (removing what did not exist). */
export function rememberFiles(paths: readonly string[]): () => void {
  const before = paths.map((path) => ({
    path,
    bytes: statSync(path, { throwIfNoEntry: false }) ? readFileSync(path) : undefined,
  }));
  return () => {
    for (const { path, bytes } of before) {
      if (bytes === undefined) rmSync(path, { force: true });
      else if (!bytes.equals(readFileSync(path))) writeFileSync(path, bytes);
    }
  };
}

/** Removes a directory with everything in it; nothing happens when it is not there. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
