/** No such command: says so in our words, with the name that was probably meant. */
import type { Hook } from '@oclif/core/hooks';

import { unknownCommand } from '../unknown-command.ts';

export const commandNotFound: Hook.CommandNotFound = async function commandNotFound({ id, config }) {
  throw unknownCommand(id, config.commandIDs, config.bin);
};
