/** Work package ids: what people type, turned into the contract's `WP01`. */
import { WorkflowError } from '../errors.ts';

/** `WP07` from `wp7`, `WP07` or `WP07-some-title`; undefined when that is no id. `WP100` is none: the contract has two digits. */
export function readWpId(text: string): string | undefined {
  const digits = /^wp(\d{1,2})(?![0-9a-z])/i.exec(text.trim())?.[1];
  return digits === undefined || Number(digits) === 0 ? undefined : `WP${digits.padStart(2, '0')}`;
}

/** Same, but refuses what is no id. */
export function parseWpId(text: string): string {
  const id = readWpId(text);
  if (id === undefined) {
    throw new WorkflowError('wp-id-invalid', `"${text}" is not a work package id: ids are WP01 to WP99.`, {
      remedy: 'spec-kitty agent tasks status',
    });
  }
  return id;
}

/** The id a file name of `tasks/` begins with: `WP04` of `WP04-title.md`, not of `WP04b-title.md`. */
export function wpIdOfFile(name: string): string | undefined {
  const id = /^(WP\d{2})[-_.]/.exec(name)?.[1];
  return name.endsWith('.md') && id !== 'WP00' ? id : undefined;
}
