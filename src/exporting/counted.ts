import type { ExportCounts } from './export-options.ts';

/** Yields the chunks of a file, and adds their bytes and the number of rows, which they return, to `counts`. */
export async function* counted(
  chunks: AsyncGenerator<Uint8Array, number>,
  counts: { -readonly [Count in keyof ExportCounts]: ExportCounts[Count] },
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) {
      counts.rows = value;
      return;
    }
    counts.bytes += value.length;
    yield value;
  }
}
