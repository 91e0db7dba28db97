/**
 * Gzip at level 1: three times faster than the usual level 6 for about 30 % more bytes, which is the right trade
 * for a client that wants to be gone. Loads zlib at first use, so that commands which send nothing do not pay for it.
 */

/** Compresses off the main thread. */
export async function nodeGzip(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { gzip } = await import('node:zlib');
  return new Promise((resolve, reject) => {
    gzip(bytes, { level: 1 }, (error, compressed) => {
      if (error === null) resolve(compressed);
      else reject(error);
    });
  });
}
