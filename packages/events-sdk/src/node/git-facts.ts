/**
 * Branch, commit and repository of a checkout, best effort: read from git's own files where they are plain,
 * asked of git within a time budget where they are not, null where neither answers. Never throws, and no
 * credential of a remote's address gets out.
 */
import { join } from 'node:path';

import { readGitConfig } from '../identity/git-config.ts';
import { parseRemote } from '../identity/remote-url.ts';
import type { Time } from '../internal/time.ts';
import { askGit } from './ask-git.ts';
import type { Checkout } from './project-root.ts';
import { findCheckout, textOf } from './project-root.ts';

/** The three facts of an envelope; each null when unknown. A detached checkout's branch is the text `HEAD`. */
export interface GitFacts {
  readonly branch: string | null;
  readonly headSha: string | null;
  /** From the origin's address. An override in the project's identity wins over it; the caller decides. */
  readonly repoSlug: string | null;
}

/** Where facts come from. */
export interface GitFactsSource {
  /** Facts of the checkout around `directory`; all null for null. Kept for two seconds. */
  facts(directory: string | null): Promise<GitFacts>;
}

/** What the source needs. */
export interface GitFactsDeps {
  readonly time: Time;
  /** Longest wait for git, where git has to be asked. */
  readonly budgetMs: number;
  /** The git program. Default `git`. */
  readonly git?: string;
}

const CACHE_MS = 2_000;
const NOTHING: GitFacts = { branch: null, headSha: null, repoSlug: null };
const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Makes a source with its own cache. */
export function createGitFacts(deps: GitFactsDeps): GitFactsSource {
  const cache = new Map<string, { readonly at: number; readonly facts: Promise<GitFacts> }>();
  return {
    facts(directory) {
      if (directory === null) return Promise.resolve(NOTHING);
      const known = cache.get(directory);
      const age = deps.time.now() - (known?.at ?? 0);
      // A wall clock set back makes the age negative: read again.
      if (known !== undefined && age >= 0 && age < CACHE_MS) return known.facts;
      const facts = gather(directory, deps).catch(() => NOTHING);
      cache.set(directory, { at: deps.time.now(), facts });
      return facts;
    },
  };
}

/** The origin's address as written, for naming a new project; may hold credentials, so never show or send it. */
export function readOriginUrl(directory: string): string | null {
  const checkout = findCheckout(directory);
  return checkout === null ? null : readGitConfig(textOf(join(checkout.commonDir, 'config')) ?? '').originUrl;
}

async function gather(directory: string, deps: GitFactsDeps): Promise<GitFacts> {
  const checkout = findCheckout(directory);
  if (checkout === null) return NOTHING;
  const config = readGitConfig(textOf(join(checkout.commonDir, 'config')) ?? '');
  const ask = (args: readonly string[]): Promise<string | null> =>
    askGit({
      args,
      directory,
      time: deps.time,
      budgetMs: deps.budgetMs,
      ...(deps.git === undefined ? {} : { git: deps.git }),
    });

  const isPlain = config.refStorage === null || config.refStorage === 'files';
  const head =
    (isPlain ? readHead(checkout) : null) ?? headFromGit(ask(['rev-parse', 'HEAD', '--symbolic-full-name', 'HEAD']));
  const origin = config.isPartial ? ask(['remote', 'get-url', 'origin']) : config.originUrl;
  const [{ branch, headSha }, url] = await Promise.all([head, origin]);
  return { branch, headSha, repoSlug: url === null ? null : (parseRemote(url)?.repoSlug ?? null) };
}

type Head = Pick<GitFacts, 'branch' | 'headSha'>;

/** Null where the files are not of the plain kind and git has to be asked. */
function readHead(checkout: Checkout): Head | null {
  const head = textOf(join(checkout.gitDir, 'HEAD'))?.trim();
  if (head === undefined) return null;
  if (COMMIT_ID.test(head)) return { branch: 'HEAD', headSha: head };
  const ref = /^ref: (refs\/heads\/(.+))$/.exec(head);
  if (ref?.[1] === undefined || ref[2] === undefined) return null;

  const loose = textOf(join(checkout.commonDir, ref[1]))?.trim();
  if (loose !== undefined) return COMMIT_ID.test(loose) ? { branch: ref[2], headSha: loose } : null;
  const packed = packedCommit(textOf(join(checkout.commonDir, 'packed-refs')) ?? '', ref[1]);
  // Before the first commit git itself names no branch (`rev-parse` fails), so neither do we.
  return packed === null ? { branch: null, headSha: null } : { branch: ref[2], headSha: packed };
}

function packedCommit(text: string, ref: string): string | null {
  const at = `\n${text}`.indexOf(` ${ref}\n`);
  if (at === -1) return null;
  const before = `\n${text}`.slice(0, at);
  const id = before.slice(before.lastIndexOf('\n') + 1);
  return COMMIT_ID.test(id) ? id : null;
}

async function headFromGit(answer: Promise<string | null>): Promise<Head> {
  const [id = '', name = ''] = ((await answer) ?? '').split('\n');
  if (!COMMIT_ID.test(id) || name === '') return { branch: null, headSha: null };
  return { branch: name.replace(/^refs\/heads\//, ''), headSha: id };
}
