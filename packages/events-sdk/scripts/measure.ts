/** What an import of the built library weighs: bundled, minified and gzipped by esbuild, as a host's bundler would. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build, type Plugin } from 'esbuild';

/** The root of this package. */
export const packageRoot = join(import.meta.dirname, '..');

/** A bundle of one import. */
export interface Bundle {
  readonly code: string;
  /** Files something of which is left in it, relative to the package. */
  readonly files: readonly string[];
  readonly gzippedBytes: number;
}

/** What to leave out of a bundle. Default: nothing but Node's own modules and the optional peer. */
export interface LeaveOut {
  readonly thirdParty?: boolean;
  /** What is imported only when it is needed. */
  readonly lazy?: boolean;
}

const lazyOutside: Plugin = {
  name: 'lazy-outside',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

/** Bundles a module of this text, whose imports name entries of the library as hosts do. */
export async function bundleOf(source: string, leaveOut: LeaveOut = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: packageRoot,
    stdin: { contents: source, resolveDir: packageRoot },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    write: false,
    metafile: true,
    external: ['jose', ...(leaveOut.thirdParty === true ? thirdParty() : [])],
    plugins: leaveOut.lazy === true ? [lazyOutside] : [],
    logLevel: 'error',
  });
  const code = outputFiles[0]?.text ?? '';
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const files = Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
  return { code, files, gzippedBytes: gzipSync(code, { level: 9 }).length };
}

interface PackageJson {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** Our own package.json. */
export function readPackage(): PackageJson {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageJson;
}

/** The entries that hold code: specifier → built files, relative to the package. */
export function entries(): ReadonlyMap<string, { readonly types: string; readonly code: string }> {
  return new Map(
    Object.entries(readPackage().exports).flatMap(([subpath, target]) =>
      typeof target === 'string'
        ? []
        : [[`@spec-kitty/events-sdk${subpath.slice(1)}`, { types: target.types, code: target.default }] as const],
    ),
  );
}

function thirdParty(): readonly string[] {
  return Object.keys(readPackage().dependencies);
}
