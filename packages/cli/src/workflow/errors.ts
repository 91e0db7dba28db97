/**
 * The one error of the workflow domain: a refusal or a failure that a person can act on.
 * The first line of the message says what was refused and why; the remedy is a command that helps.
 */

/** `validation`: the input or the state of the work forbids it. `runtime`: something broke while doing it. */
export type WorkflowErrorKind = 'validation' | 'runtime';

/** What a {@link WorkflowError} carries beside its message. */
export interface WorkflowErrorFacts {
  readonly kind?: WorkflowErrorKind;
  /** The exact command, or commands, that lead out of it. */
  readonly remedy?: string;
  readonly wpId?: string;
  readonly agentId?: string;
  /** More facts for `--json`, in wire spelling, e.g. `cycles`. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown by every workflow service that cannot do what was asked; nothing was changed unless the message says so. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError';
  /** Stable, kebab-case. */
  readonly code: string;
  readonly kind: WorkflowErrorKind;
  readonly remedy: string | undefined;
  readonly wpId: string | undefined;
  readonly agentId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, facts: WorkflowErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.kind = facts.kind ?? 'validation';
    this.remedy = facts.remedy;
    this.wpId = facts.wpId;
    this.agentId = facts.agentId;
    this.details = facts.details ?? {};
  }
}

/** True when `error` is ours and, if a code is given, carries that code. */
export function isWorkflowError(error: unknown, code?: string): error is WorkflowError {
  return error instanceof WorkflowError && (code === undefined || error.code === code);
}

/** The same failure, naming the package and agent it was about where it did not; anything but a WorkflowError stays as it is. */
export function naming(cause: unknown, subject: { readonly wpId?: string; readonly agentId?: string }): unknown {
  if (!(cause instanceof WorkflowError)) return cause;
  const wpId = cause.wpId ?? subject.wpId;
  const agentId = cause.agentId ?? subject.agentId;
  return new WorkflowError(cause.code, cause.message, {
    kind: cause.kind,
    details: cause.details,
    cause,
    ...(cause.remedy === undefined ? {} : { remedy: cause.remedy }),
    ...(wpId === undefined ? {} : { wpId }),
    ...(agentId === undefined ? {} : { agentId }),
  });
}
