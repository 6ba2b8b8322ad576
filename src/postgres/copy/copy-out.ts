import type { EntityManager } from '@mikro-orm/postgresql';
import { toDataError } from '../errors/translate-error.ts';
import { startCopy } from './start-copy.ts';

/**
 * Runs `statement`, a COPY to stdout, on the connection of the unit of work, and yields its bytes as they arrive: the server sends no more
 * than is read. Returns the number of rows. Where the reader stops early, the rest is received and discarded, so that the connection can
 * be used again.
 */
export async function* copyOut(em: EntityManager, statement: string): AsyncGenerator<Buffer, number> {
  // Loaded at the first COPY: most services send none.
  const { to: copyTo } = await import('pg-copy-streams');
  const copy = copyTo(statement);
  const ended = new Promise<void>((resolve, reject) => {
    copy.once('end', resolve);
    copy.once('error', reject);
  });
  // Awaited below; until then, its rejection must not be reported as unhandled.
  ended.catch(() => {});
  await startCopy(em, copy);
  try {
    // Destroying the stream would leave the connection in the middle of the COPY.
    for await (const chunk of copy.iterator({ destroyOnReturn: false })) yield chunk;
    await ended;
  } catch (error) {
    throw toDataError(error);
  } finally {
    copy.resume();
    await ended.catch((error: unknown) => {
      throw toDataError(error);
    });
  }
  return copy.rowCount;
}
