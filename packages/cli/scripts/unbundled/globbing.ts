/**
 * Bundled in place of `minimatch` and `tinyglobby`: the framework matches plugin names and searches folders for
 * commands with them. This program has no plugins, and its manifest names every command.
 */
export function minimatch(): never {
  throw new Error('Plugins are not part of this program.');
}

export function glob(): never {
  throw new Error('oclif.manifest.json is missing: build the program again.');
}
