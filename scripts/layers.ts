/**
 * The layer rules of this repository, as pure decisions over a map of files and what they import.
 * Imports go down, never up, never round in a circle; type-only imports count (docs/architecture.md).
 */
import { posix } from 'node:path';

/** Repository-relative file → the specifiers it imports. */
export type ImportMap = ReadonlyMap<string, readonly string[]>;

/** One broken rule. */
export interface Violation {
  readonly file: string;
  readonly specifier: string;
  readonly rule: string;
}

const SDK = 'packages/events-sdk/src/';
const CLI = 'packages/cli/src/';
const SDK_PACKAGE = '@spec-kitty/events-sdk';
const CORE_LIBRARIES = new Set(['valibot', 'ulid']);
/** Third-party modules the contract entry may reach. */
const CONTRACT_LIBRARIES = new Set(['valibot']);

type Place =
  | { readonly kind: 'layer'; readonly level: number; readonly group: string }
  | { readonly kind: 'adapter' | 'node' | 'testing' | 'entry' | 'unknown'; readonly group: string };

/** Folders of the CLI's workflow, lowest first. What stands in `workflow/` itself (ports, errors) is below all of them. */
const WORKFLOW_FOLDERS = ['rules', 'files', 'git', 'project', 'services', 'orchestrate'];

/** First match wins: adapters stand before the layers whose folders they live in. */
const PLACES: readonly (readonly [RegExp, Place])[] = [
  [/^index\.ts$/, { kind: 'entry', group: 'index' }],
  [/^storage\/(memory|sqljs|node-sqlite|sql)(\.ts$|\/)/, { kind: 'adapter', group: 'storage' }],
  [/^transport\/(http|websocket)(\.ts$|\/)/, { kind: 'adapter', group: 'transport' }],
  [/^otel\//, { kind: 'adapter', group: 'otel' }],
  [/^node\//, { kind: 'node', group: 'node' }],
  [/^testing\//, { kind: 'testing', group: 'testing' }],
  [/^(contract\/|internal\/|errors\.ts$)/, { kind: 'layer', level: 0, group: 'base' }],
  [/^clock\//, { kind: 'layer', level: 1, group: 'clock' }],
  [/^id\//, { kind: 'layer', level: 1, group: 'id' }],
  [/^identity\//, { kind: 'layer', level: 1, group: 'identity' }],
  [/^auth\//, { kind: 'layer', level: 1, group: 'auth' }],
  [/^storage\//, { kind: 'layer', level: 2, group: 'storage' }],
  [/^events\//, { kind: 'layer', level: 2, group: 'events' }],
  [/^emit-outcome\.ts$/, { kind: 'layer', level: 2, group: 'outcome' }],
  [/^queue\//, { kind: 'layer', level: 3, group: 'queue' }],
  [/^transport\//, { kind: 'layer', level: 3, group: 'transport' }],
  [/^engine\//, { kind: 'layer', level: 4, group: 'engine' }],
  [/^emitter(\.ts$|\/)/, { kind: 'layer', level: 5, group: 'emitter' }],
  [/^client(\.ts$|\/)/, { kind: 'layer', level: 6, group: 'client' }],
];

function placeOf(path: string): Place {
  return PLACES.find(([pattern]) => pattern.test(path))?.[1] ?? { kind: 'unknown', group: path };
}

/** Every broken rule of a whole repository, in file order. */
export function findViolations(imports: ImportMap): readonly Violation[] {
  const broken: Violation[] = [];
  for (const [file, specifiers] of imports) {
    if (file.startsWith(SDK) && placeOf(file.slice(SDK.length)).kind === 'unknown') {
      broken.push({
        file,
        specifier: '',
        rule: 'stands in no layer: add its folder to scripts/layers.ts and docs/architecture.md',
      });
    }
    for (const specifier of specifiers) {
      const rule = ruleBrokenBy(file, specifier);
      if (rule !== undefined) broken.push({ file, specifier, rule });
    }
  }
  return [...broken, ...reachViolations(imports), ...cycles(imports)];
}

function ruleBrokenBy(file: string, specifier: string): string | undefined {
  if (file.startsWith(SDK)) return sdkRule(file, specifier);
  if (file.startsWith(CLI)) return cliRule(file, specifier);
  return publicSubpathRule(file, specifier);
}

function sdkRule(file: string, specifier: string): string | undefined {
  const from = placeOf(file.slice(SDK.length));
  if (specifier.startsWith(SDK_PACKAGE)) return 'the SDK names its own files relatively';
  if (!specifier.startsWith('.')) {
    return from.kind === 'layer' && specifier.startsWith('node:') ? 'the core imports no node: module' : undefined;
  }
  const target = resolveRelative(file, specifier);
  if (!target.startsWith(SDK)) return 'an import must not leave the package';
  const to = placeOf(target.slice(SDK.length));
  if (to.kind === 'testing' && from.kind !== 'testing') return 'production code imports nothing of testing/';
  if (to.kind === 'entry') return 'nobody inside imports the entry: name the file itself';
  if (to.kind === 'node' && from.kind !== 'node' && from.kind !== 'testing') return 'only node/ composes node/';
  if (to.kind === 'adapter') return adapterRule(from, to);
  if (from.kind === 'layer' && to.kind === 'layer') return layerRule(from, to);
  return undefined;
}

function adapterRule(from: Place, to: Place): string | undefined {
  if (from.kind === 'node' || from.kind === 'testing') return undefined;
  if (from.kind === 'adapter')
    return from.group === to.group ? undefined : 'an adapter knows no adapter of another port';
  return 'adapters are imported only by node/, testing/ and composition';
}

type Layer = Extract<Place, { kind: 'layer' }>;

function layerRule(from: Layer, to: Layer): string | undefined {
  if (to.level > from.level)
    return `imports go down: layer ${from.level} (${from.group}) must not know layer ${to.level} (${to.group})`;
  // queue and transport are introduced to each other by the engine only.
  if (from.level === 3 && to.level === 3 && from.group !== to.group)
    return 'queue and transport do not know each other';
  return undefined;
}

function cliRule(file: string, specifier: string): string | undefined {
  const path = file.slice(CLI.length);
  if (path.startsWith('workflow/') && specifier.startsWith('@oclif/')) return 'workflow rules know no oclif';
  if (specifier.startsWith('.')) {
    const target = resolveRelative(file, specifier);
    if (!target.startsWith(CLI) && !target.endsWith('/package.json')) return 'an import must not leave the package';
    const to = target.slice(CLI.length);
    if (!path.startsWith('commands/') && to.startsWith('commands/')) return 'nothing imports a command';
    if (path.startsWith('workflow/') && !to.startsWith('workflow/') && !target.endsWith('/package.json'))
      return 'workflow rules know nothing else of the command line';
    return workflowRule(path, to);
  }
  // DESIGN §4.11: a command never builds events or touches the queue itself, so it needs types of the SDK at most.
  return publicSubpathRule(file, specifier);
}

/** Within `workflow/`, imports go down the list of its folders; `files` and `git` do not know each other. */
function workflowRule(path: string, to: string): string | undefined {
  const [from, target] = [path, to].map((each) => /^workflow\/(?:([\w-]+)\/)?/.exec(each));
  if (!from || !target) return undefined;
  const [level, targetLevel] = [from[1], target[1]].map((folder) =>
    folder === undefined ? -1 : WORKFLOW_FOLDERS.indexOf(folder),
  ) as [number, number]; // two in, two out
  const folder = from[1] ?? target[1] ?? '';
  if ((from[1] !== undefined && level === -1) || (target[1] !== undefined && targetLevel === -1))
    return `stands in no layer of workflow/: add ${folder} to scripts/layers.ts and docs/architecture.md`;
  if (targetLevel > level)
    return `imports go down: workflow/${from[1] ?? ''} must not know workflow/${target[1] ?? ''}`;
  return from[1] === 'git' && target[1] === 'files' ? 'git and files do not know each other' : undefined;
}

function publicSubpathRule(file: string, specifier: string): string | undefined {
  if (/^@spec-kitty\/[^/]+\/(src|dist)\//.test(specifier)) return 'packages meet at public subpaths only';
  if (!specifier.startsWith('.')) return undefined;
  const target = resolveRelative(file, specifier);
  const own = /^(packages|examples)\/[^/]+\/|^bench\//.exec(file)?.[0];
  const isForeign = own !== undefined && !target.startsWith(own) && /^(packages|examples|bench)\//.test(target);
  return isForeign ? 'packages meet at public subpaths only' : undefined;
}

/** What the core and contract entries reach, through however many files. */
function reachViolations(imports: ImportMap): readonly Violation[] {
  return [
    ...reachOf(imports, `${SDK}index.ts`, CORE_LIBRARIES, 'the core entry'),
    ...reachOf(imports, `${SDK}contract/index.ts`, CONTRACT_LIBRARIES, 'the contract entry'),
  ];
}

function reachOf(
  imports: ImportMap,
  entry: string,
  libraries: ReadonlySet<string>,
  name: string,
): readonly Violation[] {
  const broken: Violation[] = [];
  const seen = new Set<string>([entry]);
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const specifier of imports.get(file) ?? []) {
      if (!specifier.startsWith('.')) {
        if (!libraries.has(specifier))
          broken.push({ file, specifier, rule: `${name} reaches only ${[...libraries].join(', ')}` });
        continue;
      }
      const target = resolveRelative(file, specifier);
      const kind = placeOf(target.slice(SDK.length)).kind;
      if (kind === 'adapter' || kind === 'node' || kind === 'testing') {
        broken.push({ file, specifier, rule: `${name} reaches no adapter, node/ or testing/` });
      } else if (!seen.has(target)) {
        seen.add(target);
        waiting.push(target);
      }
    }
  }
  return broken;
}

function cycles(imports: ImportMap): readonly Violation[] {
  const broken: Violation[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string): void => {
    state.set(file, 'open');
    for (const specifier of imports.get(file) ?? []) {
      if (!specifier.startsWith('.')) continue;
      const target = resolveRelative(file, specifier);
      if (state.get(target) === 'open') broken.push({ file, specifier, rule: 'closes a circle of imports' });
      else if (!state.has(target) && imports.has(target)) visit(target);
    }
    state.set(file, 'done');
  };
  for (const file of imports.keys()) if (!state.has(file)) visit(file);
  return broken;
}

function resolveRelative(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}
