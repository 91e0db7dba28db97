/**
 * The end of every run, successful or not: a failed emitting command is recorded, delivery handed
 * to the courier, the link state shown, the client closed. Each step is bounded and none can change the exit code.
 */
import type { HandOff, NodeClient } from './client.ts';
import { describeFailure } from './failure.ts';
import type { Invocation } from './invocation.ts';
import { packageFrames, redact, redactForTeam } from './redact.ts';
import { renderIndicator } from './render/indicator.ts';

/** How long each step may take before the command leaves without it. */
export const CLOSING_STEP_MS = 500;

/** Recording a failure may wait a second for the queue before the event is kept beside it. */
const RECORDING_STEP_MS = 2_000;

/** Ends the run's dealings with events. Never rejects. */
export async function closeInvocation(invocation: Invocation, error: unknown): Promise<void> {
  const attempt = bounded(invocation);
  if (error !== undefined && invocation.emits)
    await attempt('log-error', () => logError(invocation, error), RECORDING_STEP_MS);

  const opened = invocation.openedClient();
  if (opened === null) return;
  const client = await attempt('open', () => opened);
  if (client === undefined) return;
  if (invocation.emits) {
    const handOff = await attempt('nudge', () => client.nudge());
    await attempt('indicator', () => showIndicator(invocation, client, handOff ?? 'none'));
  }
  await attempt('close', () => client.close());
}

/** Records a failure for the team (FR-014). Usage errors and interruptions are nobody's business. */
async function logError(invocation: Invocation, error: unknown): Promise<void> {
  const failure = describeFailure(error);
  if (failure.errorType === null || invocation.signal.aborted) return;
  const [client, { errorLogged }] = await Promise.all([invocation.client(), import('@spec-kitty/events-sdk')]);
  const { wpId, agentId } = { ...invocation.subject, ...failure };
  const stack = failure.kind === 'unexpected' && error instanceof Error ? packageFrames(error.stack ?? '') : '';
  await client.emitAll([
    errorLogged({
      errorType: failure.errorType,
      errorMessage: redactForTeam(failure.message.split('\n', 1)[0] ?? failure.message),
      ...(wpId === undefined ? {} : { wpId }),
      ...(agentId === undefined ? {} : { agentId }),
      ...(stack === '' ? {} : { stackTrace: stack }),
    }),
  ]);
}

async function showIndicator(invocation: Invocation, client: NodeClient, handOff: HandOff): Promise<void> {
  if (invocation.json) return;
  const line = renderIndicator(await client.status(), { handOff, now: Date.now(), paint: invocation.paint });
  if (line !== null) invocation.say(line);
}

/** Runs a step within its time; what goes wrong is detail for a fault search, not news. */
function bounded(
  invocation: Invocation,
): <T>(step: string, work: () => Promise<T>, limitMs?: number) => Promise<T | undefined> {
  return async (step, work, limitMs = CLOSING_STEP_MS) => {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`took longer than ${limitMs} ms`));
      }, limitMs);
    });
    try {
      return await Promise.race([work(), timeUp]);
    } catch (error) {
      invocation.logger.debug(`closing.${step}`, redact(error instanceof Error ? error.message : String(error)));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };
}
