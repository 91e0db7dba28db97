/** What a server answered when it was asked how it is, as text, document and exit code. Pure. */
import type { ServerProbe } from '../client.ts';

import { signIn } from './indicator.ts';

/** One line; `null`: there is no server to ask. */
export function renderProbe(probe: ServerProbe | null): string {
  if (probe === null) return 'no server is set: spec-kitty sync server URL';
  const { verdict, server, isSignedIn } = probe;
  switch (verdict.kind) {
    case 'healthy':
      return `${server} answers (${verdict.tookMs} ms)${isSignedIn ? ' and accepts the sign-in' : `; not signed in: ${signIn(server)}`}`;
    case 'unauthorized':
      return `${server} does not accept the sign-in (401): spec-kitty auth login --force`;
    case 'unknown':
    case 'forbidden':
    case 'unhealthy':
    case 'not-a-sync-server':
    case 'unreachable':
      return verdict.message.replace(/\.$/, '');
    default:
      return verdict satisfies never;
  }
}

/** The same as a document. */
export function probeDocument(probe: ServerProbe | null): Record<string, unknown> | null {
  if (probe === null) return null;
  const { verdict } = probe;
  return {
    server: probe.server,
    verdict: verdict.kind,
    signed_in: probe.isSignedIn,
    took_ms: 'tookMs' in verdict ? verdict.tookMs : null,
    message: 'message' in verdict ? verdict.message : null,
  };
}

/** 0 deliverable as far as it shows · 1 refused or no sync server · 3 not reachable now · 4 not signed in. */
export function probeExitCode(probe: ServerProbe | null): 0 | 1 | 3 | 4 {
  if (probe === null) return 4;
  switch (probe.verdict.kind) {
    case 'healthy':
    case 'unknown':
      return probe.isSignedIn ? 0 : 4;
    case 'unauthorized':
      return 4;
    case 'forbidden':
    case 'not-a-sync-server':
      return 1;
    case 'unhealthy':
    case 'unreachable':
      return 3;
    default:
      return probe.verdict satisfies never;
  }
}
