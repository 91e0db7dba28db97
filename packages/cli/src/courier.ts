/** The detached process that delivers queued events after a command has ended. It prints nothing and ends by itself. */
import { runCourier } from '@spec-kitty/events-sdk/node';

const home = process.env['SPEC_KITTY_HOME'];
const options = home === undefined || home === '' ? {} : { home };

runCourier(options).then(
  () => process.exit(0),
  // Whatever went wrong is in the courier's own bounded log; there is no terminal to tell it to.
  () => process.exit(1),
);
