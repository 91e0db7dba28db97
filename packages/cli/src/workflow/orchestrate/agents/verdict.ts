/**
 * A reviewer's verdict: one line that begins with a code only this review knows. Never a word somewhere in the text:
 * "not approved", "looks good but REJECTED" and an echo of the prompt are no verdicts. Pure.
 */

/** `none`: there is no verdict, which is an error of the reviewer and never an approval. */
export type Verdict =
  | { readonly kind: 'approved' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'none'; readonly why: string };

/** What Markdown may put around a line: quotes, lists, emphasis, headings, code. */
const MARKS = String.raw`[\s>*_#\x60~-]*`;

/** Only the end of an answer is looked at: the verdict is its last line. */
const MAX_LENGTH = 256 * 1024;

/** Reads the last line of `text` that begins with `VERDICT <nonce>:`. The nonce is letters and digits. */
export function readVerdict(text: string, nonce: string): Verdict {
  const begin = new RegExp(String.raw`^${MARKS}VERDICT\s+${nonce}\s*:${MARKS}(.*)$`, 'i');
  const line = text
    .slice(-MAX_LENGTH)
    .split(/\r?\n|\r/)
    .findLast((each) => begin.test(each.slice(0, 2_000)));
  if (line === undefined) return { kind: 'none', why: 'The answer has no line with a verdict.' };
  const words = (begin.exec(line.slice(0, 2_000))?.[1] ?? '').trim();
  // The code twice in a line is somebody telling what a verdict looks like.
  if (words.includes(nonce)) return { kind: 'none', why: 'The last line with a verdict names both.' };
  if (new RegExp(`^APPROVED${MARKS}\\.?${MARKS}$`, 'i').test(words)) return { kind: 'approved' };
  const rejected = /^REJECTED\b(.*)$/i.exec(words);
  if (rejected === null) return { kind: 'none', why: 'The last line with a verdict is neither APPROVED nor REJECTED.' };
  const reason = (rejected[1] ?? '').replace(/^[\s*_`~:.,;–—-]+|[\s*_`~]+$/g, '');
  return { kind: 'rejected', reason: reason === '' ? 'The reviewer gave no reason.' : reason };
}
