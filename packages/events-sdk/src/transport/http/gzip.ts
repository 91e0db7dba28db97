/** Compression by what every runtime brings: no import, no choice of level. */

/** Compresses bytes into one buffer, so that the request has a fixed length and can be sent again. */
export type Gzip = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

/** The default compression. */
export const compressionStreamGzip: Gzip = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};
