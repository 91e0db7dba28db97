/** Starting a courier: a detached process that delivers for a home, so that no command waits for a network (DESIGN §4.9). */
import { existsSync } from 'node:fs';

import type { Env, Home } from './home.ts';

/** How to start a courier: a script that calls `runCourier`. */
export interface CourierCommand {
  /** Path of the script, run by this process's own Node. */
  readonly script: string;
}

/** Starts a courier and forgets it. False when it could not be started or the home is gone; never rejects. */
export async function startCourier(home: Home, command: CourierCommand, env: Env): Promise<boolean> {
  if (!existsSync(home.root)) return false;
  try {
    // At first use: it brings `net` and `dgram` along, which a command that starts nothing must not pay for.
    const { spawn } = await import('node:child_process');
    const child = spawn(process.execPath, [command.script], {
      // Not the caller's directory: that may be a worktree someone wants to remove.
      cwd: home.root,
      detached: true,
      stdio: 'ignore',
      windowsHide: true,
      env: { ...env, SPEC_KITTY_HOME: home.root, NODE_OPTIONS: withoutDebugger(env['NODE_OPTIONS']) },
    });
    // An error after the start (no such program) is the courier's, not the command's.
    child.on('error', () => {});
    child.unref();
    return child.pid !== undefined;
  } catch {
    return false;
  }
}

/** A command that is being debugged must not leave a courier behind that waits for a debugger of its own. */
function withoutDebugger(nodeOptions: string | undefined): string | undefined {
  return nodeOptions?.replaceAll(/--inspect\S*/g, '');
}
