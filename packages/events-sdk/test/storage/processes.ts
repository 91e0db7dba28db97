/** Child processes of the storage tests: started, read and ended here, so that none is left running. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A child under way. */
export interface Running {
  readonly child: ChildProcess;
  /** Whole lines said so far. */
  lines(): readonly string[];
  /** Resolves once it has said this many lines. Rejects when it ends before. */
  said(count: number): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts a fixture with Node itself, which strips the types. */
export function start(fixture: string, ...args: readonly string[]): Running {
  const script = fileURLToPath(new URL(`./fixtures/${fixture}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  // A child that is killed closes its end first.
  child.stdin.on('error', () => {});
  let out = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const lines = (): readonly string[] => out.split('\n').slice(0, -1);
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return {
    child,
    lines,
    ended,
    said: (count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (lines().length >= count) resolve();
        };
        child.stdout.on('data', look);
        child.on('close', () => (lines().length >= count ? resolve() : reject(new Error(`ended early: ${stderr}`))));
        look();
      }),
  };
}
