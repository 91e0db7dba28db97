/** The Chromium the tests drive: Debian's, or the one SPEC_KITTY_CHROMIUM names. Nothing is downloaded. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Its path; undefined without one, said loudly. In CI that is an error: there `.ci/run` has installed it. */
export const chromiumPath = findChromium();
if (chromiumPath === undefined) {
  const message = 'No Chromium: install the package `chromium` or name a program in SPEC_KITTY_CHROMIUM.';
  if (isSet(process.env['CI'])) throw new Error(message);
  console.warn(`SKIPPED: the browser tests. ${message}`);
}

function findChromium(): string | undefined {
  const named = process.env['SPEC_KITTY_CHROMIUM'];
  if (isSet(named)) {
    // A wrong name is a mistake, not an absence.
    accessSync(named, constants.X_OK);
    return named;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '' && value !== 'false';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
