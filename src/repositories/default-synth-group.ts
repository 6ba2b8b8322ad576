import type { Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { defaultSynthGroup } from '../entities/synth-group.ts';

/** Makes the default group unless it is there, by one statement: of many who do so at once, one makes it and the rest see it. */
export async function ensureDefaultSynthGroup(db: Kysely<Tables>): Promise<void> {
  await db
    .insertInto('synth_groups')
    .values(({ fn }) => ({ ...defaultSynthGroup, created_at: fn<string>('now'), row_version: 1 }))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
