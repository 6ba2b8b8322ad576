import { UnitOfWork, type EntityManager, type ReadingUnitOfWork } from '../../../src/index.ts';

/** Returns the entity manager, which the type of a reading unit of work hides. */
export function emOf(uow: ReadingUnitOfWork): EntityManager {
  if (!(uow instanceof UnitOfWork)) throw new Error('another unit of work than ours');
  return uow.em;
}

/** Returns which server answers the reads of `uow`. */
export async function server(uow: ReadingUnitOfWork): Promise<'replica' | 'primary'> {
  const [row] = await emOf(uow).execute<{ standby: boolean }[]>('select pg_is_in_recovery() as standby');
  return row?.standby ? 'replica' : 'primary';
}
