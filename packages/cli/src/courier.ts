/** The detached process that delivers for a home after commands have ended. It prints nothing and ends by itself. */
import { runCourier } from '@spec-kitty/events-sdk/node';

import { readPackage } from './version.ts';

const home = process.env['SPEC_KITTY_HOME'];
const { version } = readPackage();

// Whatever went wrong is in the courier's own bounded log; there is no terminal to tell it to.
void runCourier({ version, ...(home === undefined || home === '' ? {} : { home }) }).then(() => process.exit(0));
