/** The end of a stream, in bounded memory. */

/** Collects bytes and keeps the last of them. */
export interface OutputTail {
  add(chunk: Uint8Array): void;
  /** True when the beginning is gone. */
  readonly isCut: boolean;
  /** What is kept, as UTF-8; broken bytes become U+FFFD. Begins at a line when the beginning is gone. */
  text(): string;
}

/** Keeps at least the last `keepBytes`, and never more than twice that. */
export function createOutputTail(keepBytes: number): OutputTail {
  let chunks: Uint8Array[] = [];
  let size = 0;
  let isCut = false;
  return {
    add(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= keepBytes * 2) return;
      const kept = Buffer.concat(chunks).subarray(-keepBytes);
      // A copy: the part that was cut off is to be freed.
      chunks = [Buffer.from(kept)];
      size = kept.length;
      isCut = true;
    },
    get isCut() {
      return isCut;
    },
    text() {
      const text = new TextDecoder().decode(Buffer.concat(chunks));
      const line = isCut ? text.indexOf('\n') : -1;
      return line === -1 ? text : text.slice(line + 1);
    },
  };
}
