/** A failure as a person reads it: what failed, then what to do. Pure. */
import type { Failure } from '../failure.ts';
import type { Paint } from './paint.ts';

export function renderFailure(failure: Failure, paint: Paint): string {
  const head = `${paint('red', 'Error:')} ${failure.message}`;
  return failure.remedy === undefined ? head : `${head}\n${failure.remedy}`;
}
