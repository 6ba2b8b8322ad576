import type { RawBuilder } from 'kysely';

/** A selected row, by the names in its select list. */
export type Row = Record<string, unknown>;

/** A part of a statement that selects rows. */
export type Sql = RawBuilder<Row>;
