/** Before a command runs: remembers whether it tells the team about its work. Opens nothing. */
import type { Hook } from '@oclif/core/hooks';

import { currentInvocation } from '../invocation.ts';

export const prerun: Hook.Prerun = async function prerun({ Command }) {
  currentInvocation().emits = 'emits' in Command && Command.emits === true;
};
