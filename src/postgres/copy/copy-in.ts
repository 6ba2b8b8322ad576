import { finished } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { CopyStreamQuery } from 'pg-copy-streams';
import { toDataError } from '../errors/translate-error.ts';
import { startCopy } from './start-copy.ts';

/**
 * Runs `statement`, a COPY from stdin, on the connection of the unit of work, and sends `chunks` as fast as the server accepts them. Returns
 * the number of copied rows. An error of the iteration ends the COPY and is thrown.
 */
export async function copyIn(
  em: EntityManager,
  statement: string,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<number> {
  // Loaded at the first COPY: most services send none.
  const { from: copyFrom } = await import('pg-copy-streams');
  const copy = copyFrom(statement);
  const writer = new CopyWriter(copy);
  const end = finished(copy);
  // Awaited below; until then, its rejection must not be reported as unhandled.
  end.catch(() => {});
  await startCopy(em, copy);
  try {
    for await (const chunk of chunks) {
      // The server ignores further chunks.
      if (writer.isRefused) break;
      await writer.write(chunk);
    }
    if (!writer.isRefused) copy.end();
  } catch (error) {
    // PostgreSQL is still waiting for rows.
    if (!writer.isRefused) copy.destroy(new Error('the rows ended early'));
    await end.catch(() => {});
    throw toDataError(error);
  }
  try {
    await end;
  } catch (error) {
    throw toDataError(error);
  }
  return copy.rowCount;
}

/**
 * Writes one chunk at a time. Chunks that are buffered in the stream when the server refuses the COPY would be sent without a connection,
 * which ends the process (https://github.com/brianc/node-pg-copy-streams/issues/171).
 */
class CopyWriter {
  isRefused = false;
  readonly #copy: CopyStreamQuery;
  #fail: ((error: Error) => void) | undefined;

  constructor(copy: CopyStreamQuery) {
    this.#copy = copy;
    copy.once('error', (error) => {
      this.isRefused = true;
      this.#fail?.(error);
    });
  }

  write(chunk: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#copy.write(chunk, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
