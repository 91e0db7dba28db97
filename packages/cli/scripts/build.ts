/** `pnpm build`: bundles the program into dist/ and writes oclif.manifest.json. */
import { bundle, packageRoot } from './bundle.ts';

await bundle({ root: packageRoot });
