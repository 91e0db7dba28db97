/** Before any command: makes Node's own warnings one line without paths, said once. Opens nothing. */
import type { Hook } from '@oclif/core/hooks';

import { currentInvocation } from '../invocation.ts';
import { redact } from '../redact.ts';

export const init: Hook.Init = async function init() {
  const { logger } = currentInvocation();
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    // Warnings of the runtime are for developers of this program, not for those who use it.
    logger.debug(`node.${warning.name}`, redact(warning.message));
  });
};
