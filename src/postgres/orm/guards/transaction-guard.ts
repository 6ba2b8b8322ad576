import type { FlushEventArgs } from '@mikro-orm/core';
import { ReadOnlyError } from '../../../errors.ts';
import { isOurs } from '../entities/our-entities.ts';
import type { BatchSubscriber } from '../../../guards/register-guard.ts';

/** Refuses a flush outside a transaction that would write a row of our entities. */
export class TransactionGuard implements BatchSubscriber {
  readonly acceptsBatches = true;
  /** @throws ReadOnlyError before anything is sent. */
  onFlush({ em, uow }: FlushEventArgs): void {
    const first = uow.getChangeSets().find(({ meta }) => isOurs(meta));
    if (first && !em.isInTransaction()) {
      throw new ReadOnlyError(
        `${first.meta.className} would be written outside a transaction: use \`transact\`, or \`em.transactional\``,
      );
    }
  }
}
