import type { EventSubscriber, FlushEventArgs } from '@mikro-orm/core';
import { ReadOnlyError } from '../errors.ts';

/** Holds the rule that `transact` alone writes: a flush outside a transaction that has something to write is refused. */
export class TransactionGuard implements EventSubscriber {
  /** @throws ReadOnlyError before anything is sent. */
  onFlush({ em, uow }: FlushEventArgs): void {
    const [first] = uow.getChangeSets();
    if (first && !em.isInTransaction()) {
      throw new ReadOnlyError(`${first.meta.className} would be written outside \`transact\``);
    }
  }
}
