/** Reads an answer's body, bounded in size and by a signal. Never rejects. */

/** What was read, and why reading ended. */
export interface BodyRead {
  readonly text: string;
  readonly ending: 'complete' | 'too-large' | 'broken';
}

/** Reads at most `maxBytes`; the rest is cancelled, which frees the socket. An aborted signal counts as broken. */
export async function readBody(response: Response, maxBytes: number, signal: AbortSignal): Promise<BodyRead> {
  if (response.body === null) return { text: '', ending: 'complete' };
  const reader = response.body.getReader();
  const onAbort = (): void => {
    // Ends a pending read of a body that does not listen to the signal itself.
    reader.cancel().catch(() => {});
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return { text, ending: 'broken' };
      if (done) return { text: text + decoder.decode(), ending: 'complete' };
      bytes += value.byteLength;
      if (bytes > maxBytes) {
        reader.cancel().catch(() => {});
        return { text, ending: 'too-large' };
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return { text, ending: 'broken' };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
