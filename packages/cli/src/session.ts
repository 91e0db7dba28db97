/** What a command holds of its run: emitting that never fails the command, and the client for those that ask it. */
import type { EmitContext, NodeClient, SpecKittyDraft, SpecKittyOutcome } from './client.ts';
import type { Invocation, Subject } from './invocation.ts';
import { redact } from './redact.ts';

/** A command's link to events and sync. Nothing is opened before it is used. */
export interface CommandSession {
  /** The client. Rejects when the home cannot be used: for commands whose subject it is. */
  client(): Promise<NodeClient>;
  /** Records what happened. Never rejects: an unusable home costs a warning and `dropped` outcomes (FR-029, FR-030). */
  emitAll(drafts: readonly SpecKittyDraft[], context?: EmitContext): Promise<readonly SpecKittyOutcome[]>;
  /** Names the package and agent a failure would be about. */
  about(subject: Subject): void;
  /** Something a person should know, on stderr, once. */
  warn(code: string, message: string): void;
  cwd(): string;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

export function createSession(invocation: Invocation): CommandSession {
  return {
    client: () => invocation.client(),
    async emitAll(drafts, context) {
      if (drafts.length === 0) return [];
      try {
        const client = await invocation.client();
        return await client.emitAll(drafts, context);
      } catch (error) {
        const reason = redact(error instanceof Error ? error.message : String(error));
        const message = `Not recorded for the team (${drafts.map((draft) => draft.type).join(', ')}): ${reason}`;
        invocation.logger.warn('emit-failed', message);
        return drafts.map(() => ({ status: 'dropped', reason: 'unavailable', message }));
      }
    },
    about(subject) {
      invocation.subject = { ...invocation.subject, ...subject };
    },
    warn: (code, message) => {
      invocation.logger.warn(code, message);
    },
    cwd: () => invocation.cwd(),
    env: invocation.env,
    signal: invocation.signal,
  };
}
