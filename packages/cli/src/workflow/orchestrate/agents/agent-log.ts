/** The log of one run: a file that can be read while the agent works, and that stays when it is ended. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { Role } from './agent-spec.ts';

/** Below the project root; `init` has git ignore it. */
export const LOG_FOLDER = '.kittify/logs';

/** A log grows to this and no further: an agent that floods must not fill the disk. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** What the log is of. */
export interface AgentLogFacts {
  readonly root: string;
  readonly wpId: string;
  readonly role: Role;
  /** Lines at its head. */
  readonly head: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  /** Default {@link MAX_LOG_BYTES}. */
  readonly maxBytes?: number;
}

/** An open log. Nothing here throws: a full disk must not end an agent's work. */
export interface AgentLog {
  /** Relative to the project root, with `/`. */
  readonly path: string;
  /** Adds what the agent just wrote. */
  add(stream: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** Adds last lines and closes the file. */
  close(lines: Readonly<Record<string, string>>): void;
}

/** Creates `<WP>-<role>-<YYYYMMDD-HHMMSS>.log`, UTC, for its person's eyes only. Throws when it cannot be created. */
export function openAgentLog(facts: AgentLogFacts): AgentLog {
  mkdirSync(join(facts.root, LOG_FOLDER), { recursive: true });
  const { path, descriptor } = createFile(facts);
  const maxBytes = facts.maxBytes ?? MAX_LOG_BYTES;
  let current = '';
  let size = 0;
  let endsLine = true;
  const write = (data: Uint8Array): void => {
    try {
      for (let at = 0; at < data.length;) at += writeSync(descriptor, data, at);
      endsLine = (data.at(-1) ?? 0x0a) === 0x0a;
    } catch {
      // The log is for people; the answer is kept in memory as well.
    }
  };
  const say = (text: string): void => {
    write(Buffer.from(text));
  };
  say(pairs(facts.head));
  return {
    path,
    add(stream, chunk) {
      if (size >= maxBytes) return;
      if (current !== stream) {
        say(`${endsLine ? '' : '\n'}--- ${stream} ---\n`);
        current = stream;
      }
      const part = chunk.subarray(0, maxBytes - size);
      size += part.length;
      write(part);
      if (size >= maxBytes) say(`\n--- the log ends here: it has reached ${maxBytes} bytes ---\n`);
    },
    close(lines) {
      say(`${endsLine ? '' : '\n'}--- end ---\n${pairs(lines)}`);
      closeSync(descriptor);
    },
  };
}

/** Two runs within a second get two files. */
function createFile({ root, wpId, role, startedAtMs }: AgentLogFacts): { path: string; descriptor: number } {
  const stamp = new Date(startedAtMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  for (let count = 1; ; count += 1) {
    const path = `${LOG_FOLDER}/${wpId}-${role}-${stamp}${count === 1 ? '' : `-${count}`}.log`;
    try {
      return { path, descriptor: openSync(join(root, path), 'wx', 0o600) };
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    }
  }
}

function pairs(lines: Readonly<Record<string, string>>): string {
  return Object.entries(lines)
    .map(([key, value]) => `${key}: ${value.replaceAll(/\s+/g, ' ')}\n`)
    .join('');
}
