/** Composition for the workflow commands: git, lock, time and events, wired to this run. Nothing is opened here. */
import { createUlidFactory, systemTime } from '@spec-kitty/events-sdk';

import type { Invocation } from './invocation.ts';
import { createSession } from './session.ts';
import { createGit } from './workflow/git/git.ts';
import type { WorkflowDeps } from './workflow/ports.ts';

/** How long a command waits for another one that works on the same feature. */
const LOCK_WAIT_MS = 10_000;

/** Everything a workflow service may take from. */
export function createWorkflowDeps(invocation: Invocation): WorkflowDeps {
  const session = createSession(invocation);
  const git = createGit(invocation.env);
  // Whatever changes something holds the lock first, and what makes the lock has a source of chance that costs nothing to load.
  let random = (): number => (globalThis.crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 256;
  return {
    git,
    lock: {
      async hold(path, work) {
        const { systemRandom, withDirectoryLock } = await import('@spec-kitty/events-sdk/node');
        random = systemRandom();
        return await withDirectoryLock(path, { waitMs: LOCK_WAIT_MS, signal: invocation.signal }, work);
      },
    },
    time: systemTime,
    events: {
      async emit(drafts, options) {
        const outcomes = await session.emitAll(drafts, options);
        return outcomes.map((outcome) =>
          outcome.status !== 'dropped' ? 'recorded' : outcome.reason === 'invalid' ? 'refused' : 'untold',
        );
      },
    },
    // Steps are news for a person watching; scripts get the result.
    progress: (step) => {
      if (!invocation.json && invocation.stderr.isTTY === true) invocation.say(step);
    },
    newUlid: createUlidFactory({ time: systemTime, random: () => random() }),
    async createIdentity(root) {
      const sdk = await import('@spec-kitty/events-sdk/node');
      const remote = await git.run(root, ['remote', 'get-url', 'origin']);
      const identity = sdk.deriveNewIdentity(root, remote.exitCode === 0 ? remote.stdout.trim() : null, invocation.env);
      // An identity read from a file may lack it; a new one has it.
      const nodeId =
        identity.nodeId ??
        sdk.deriveNodeId({ hostname: sdk.currentHostname(), username: sdk.currentUsername(invocation.env) });
      return { ...identity, nodeId };
    },
    version: invocation.version,
  };
}
