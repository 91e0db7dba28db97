/** Bundled in place of `@inquirer/editor`: nothing here opens an editor, and its character tables weigh 500 kB. */
export default function editor(): never {
  throw new Error('An editor is not part of this program.');
}
