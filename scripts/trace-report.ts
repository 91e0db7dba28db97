/**
 * From vitest reports to "which requirement is proven by which test", as pure functions. Only passing tests count;
 * ids stand in a test's own title, singly, in lists, or as ranges: `(US2-1, FR-008..FR-015)`.
 */

/** A line of docs/requirements.tsv. */
export interface Requirement {
  readonly id: string;
  readonly title: string;
  /** `1`: must have a passing test. `later`: planned, may lack one. */
  readonly since: '1' | 'later';
}

/** One test of a vitest report. */
export interface TestFact {
  readonly title: string;
  readonly status: string;
}

/** What became of one requirement. */
export interface Traced extends Requirement {
  readonly tests: readonly string[];
  readonly state: 'proven' | 'missing' | 'not yet' | 'promote';
}

/** The whole answer. */
export interface Trace {
  readonly requirements: readonly Traced[];
  /** Ids in titles that docs/requirements.tsv does not list, each with a title naming it. */
  readonly unknown: readonly { readonly id: string; readonly test: string }[];
}

const ID = /\b(?:US\d+|EC|FR|SC|TECH|SEC|PERF)-\d+[a-z]?\b/g;
const RANGE = /\b((?:US\d+|EC|FR|SC|TECH|SEC|PERF)-)(\d+)([a-z]?)\s*(?:\.\.\.?|…|–)\s*(?:\1)?(\d+|[a-z])\b/g;

/** The ids a title cites; ranges are spelled out. */
export function idsIn(title: string): readonly string[] {
  const ids = new Set<string>();
  for (const match of title.matchAll(RANGE)) for (const id of spellOut(match)) ids.add(id);
  for (const [id] of title.matchAll(ID)) ids.add(id);
  return [...ids];
}

function spellOut(match: RegExpMatchArray): readonly string[] {
  const [, prefix = '', first = '', letter = '', last = ''] = match;
  if (letter !== '' && /^[a-z]$/.test(last)) {
    const from = letter.charCodeAt(0);
    const length = Math.max(0, last.charCodeAt(0) - from + 1);
    return Array.from({ length }, (_, index) => `${prefix}${first}${String.fromCharCode(from + index)}`);
  }
  if (letter !== '' || /^[a-z]$/.test(last)) return [];
  const length = Math.max(0, Number(last) - Number(first) + 1);
  return Array.from({ length }, (_, index) => prefix + String(Number(first) + index).padStart(first.length, '0'));
}

/** Reads docs/requirements.tsv: `id`, `since`, `title`, one header line. Throws on a line it cannot read. */
export function readRequirements(tsv: string): readonly Requirement[] {
  return tsv
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [id, since, title] = line.split('\t');
      if (id === undefined || title === undefined || (since !== '1' && since !== 'later')) {
        throw new Error(`docs/requirements.tsv: cannot read the line "${line}".`);
      }
      return { id, since, title };
    });
}

/** Joins the requirements with the tests that prove them. */
export function trace(requirements: readonly Requirement[], tests: readonly TestFact[]): Trace {
  const known = new Set(requirements.map(({ id }) => id));
  const proofs = new Map<string, Set<string>>();
  const unknown: { id: string; test: string }[] = [];
  for (const { title, status } of tests) {
    for (const id of idsIn(title)) {
      if (!known.has(id)) unknown.push({ id, test: title });
      else if (status === 'passed') proofs.set(id, (proofs.get(id) ?? new Set()).add(title));
    }
  }
  return {
    unknown,
    requirements: requirements.map((requirement) => {
      const found = [...(proofs.get(requirement.id) ?? [])];
      return { ...requirement, tests: found, state: stateOf(requirement, found.length) };
    }),
  };
}

function stateOf({ since }: Requirement, count: number): Traced['state'] {
  if (since === '1') return count > 0 ? 'proven' : 'missing';
  return count > 0 ? 'promote' : 'not yet';
}
