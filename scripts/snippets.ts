/** Finds the programs in a Markdown page, as a pure function. */

/** One program, and what the page says it prints. */
export interface Snippet {
  /** Page and line of its first line, for messages. */
  readonly at: string;
  readonly code: string;
  /** The block marked `text` right behind it; undefined when the page shows no output. */
  readonly output: string | undefined;
}

const BLOCK = /^( *)```(\w*)\n([\s\S]*?)^ *```$/gm;

/** Every block marked `ts`, in order. One inside a list loses the list's indentation. */
export function snippetsOf(page: string, text: string): readonly Snippet[] {
  const blocks = [...text.matchAll(BLOCK)].map((match) => {
    const [whole, indent = '', language = '', body = ''] = match;
    const code = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return { language, code, start: match.index, end: match.index + whole.length };
  });
  return blocks.flatMap(({ language, code, start, end }, index) => {
    if (language !== 'ts') return [];
    const next = blocks[index + 1];
    const shows = next?.language === 'text' && text.slice(end, next.start).trim() === '';
    const line = text.slice(0, start).split('\n').length + 1;
    return [{ at: `${page}:${line}`, code, output: shows ? next.code : undefined }];
  });
}
