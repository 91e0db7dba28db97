/** After every run, however it ended: hands over to the closing steps, which cannot fail it. */
import type { Hook } from '@oclif/core/hooks';

import { closeInvocation } from '../closing.ts';
import { currentInvocation } from '../invocation.ts';

export const closing: Hook.Finally = async function closing({ error }) {
  await closeInvocation(currentInvocation(), error);
};
