import type { Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { defaultSynthGroup } from '../entities/synth-group.ts';

/** Inserts the default group unless it exists, by one statement; safe under concurrency. */
export async function ensureDefaultSynthGroup(db: Kysely<Tables>): Promise<void> {
  await db
    .insertInto('synth_groups')
    .values(({ fn }) => ({ ...defaultSynthGroup, created_at: fn<string>('now'), row_version: 1 }))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
