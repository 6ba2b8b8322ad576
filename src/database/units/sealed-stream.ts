import { toDataError } from '../../postgres/errors/translate-error.ts';
import type { RowsToRead, UnitGate } from './unit-gate.ts';

/**
 * Makes the rows of a stream pass the gate of its unit of work. `name` is that of the call. A stream that the end of the unit closed throws:
 * without an error, the reader would not know that rows are missing. It replaces `next`, because a generator around it would have to forward
 * its end.
 */
export function sealedStream<Rows extends RowsToRead>(gate: UnitGate, name: string, rows: Rows): Rows {
  const next = rows.next.bind(rows);
  let isOpen = false;
  const open = async (): Promise<IteratorResult<unknown>> => {
    try {
      gate.check(name);
      gate.endWithUnit(rows);
      // The gate opens it between two calls, not within one.
      const first = await gate.call(name, next);
      isOpen = true;
      return first;
    } catch (error) {
      throw toDataError(error);
    }
  };
  const read = (): Promise<IteratorResult<unknown>> => {
    if (!isOpen) return open();
    try {
      gate.check(name);
    } catch (error) {
      return Promise.reject(toDataError(error));
    }
    // Not translated here: a promise for each row would cost as much as to show it. The driver's errors are.
    return next();
  };
  return Object.assign(rows, { next: read });
}
