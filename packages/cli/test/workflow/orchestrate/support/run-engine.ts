/** The decisions of a run as one object, so that a test can put a broken one in the place of ours. */
import { applyOutcome } from '../../../../src/workflow/orchestrate/outcome.ts';
import { recoverRun } from '../../../../src/workflow/orchestrate/recover.ts';
import { applyStep, retryPackage } from '../../../../src/workflow/orchestrate/run-steps.ts';
import { nextSteps } from '../../../../src/workflow/orchestrate/scheduler.ts';

export const engine = { nextSteps, applyStep, applyOutcome, recoverRun, retryPackage };

export type Engine = typeof engine;
