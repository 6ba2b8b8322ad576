import { toDataError } from '../../postgres/errors/translate-error.ts';
import type { UnitGate } from './unit-gate.ts';

/**
 * Makes the rows of a stream pass the gate of its unit of work. A stream that the end of the unit closed throws: without an error, the
 * reader would not know that rows are missing. It replaces `next`, because a generator around it would have to forward its end.
 */
export function sealedStream(gate: UnitGate, rows: AsyncGenerator): AsyncGenerator {
  const next = rows.next.bind(rows);
  let isOpen = false;
  const read = async (): Promise<IteratorResult<unknown>> => {
    try {
      gate.check('em.stream');
      if (isOpen) return await next();
      // The gate opens it between two calls, not within one.
      const first = await gate.call('em.stream', next);
      isOpen = true;
      return first;
    } catch (error) {
      throw toDataError(error);
    }
  };
  return Object.assign(rows, { next: read });
}
