/** Bundled in place of `typescript`, with which the framework reads tsconfig.json where it runs from sources. Here it never does. */
export default undefined;
