import { rowsMark } from '../catalog/server-guard.ts';
import type { Session } from '../session/session.ts';
import type { Fresh } from './fresh.ts';
import type { Pools } from './pools.ts';
import { distinctColumns, quoteIdentifier } from './row.ts';
import { isSequence } from './sets.ts';
import type { ForeignKey, Table } from './tables.ts';

/** Returns the columns that get another value in each row: one of each unique key, as far as there are enough values. */
export function freshColumns(table: Table, pools: Pools): ReadonlyMap<string, Fresh> {
  return new Map(
    [...distinctColumns(table)].flatMap((name) => {
      const { fresh, freshLasts } = pools.of(table, name);
      return fresh && freshLasts && isDistinct(fresh) ? [[name, fresh] as const] : [];
    }),
  );
}

// Some only repeat a few values.
function isDistinct(fresh: Fresh): boolean {
  const values = Array.from({ length: 200 }, (_, index) => fresh(index * 53));
  return new Set(values).size === values.length;
}

/** Returns the foreign keys that must differ from row to row, because a unique key of the table has no other column that could: by key. */
export function keysOfReferences(table: Table, pools: Pools): (readonly ForeignKey[])[] {
  const fresh = freshColumns(table, pools);
  const known = new Set(
    table.columns.flatMap(({ name, isIdentity, default: given }) =>
      isIdentity || isSequence(given) || fresh.has(name) ? [name] : [],
    ),
  );
  return table.keys
    .filter(({ columns, others }) => ![...columns, ...others].some((name) => known.has(name)))
    .map(({ columns }) =>
      table.foreignKeys.filter(
        (key) => key.target !== table.name && key.columns.some((name) => columns.includes(name)),
      ),
    )
    .filter((keys) => keys.length > 0);
}

/** The parents of a table, numbered in temporary tables, so that the rows of a unique key get other ones. */
export class NumberedParents {
  readonly #joins: readonly string[];
  readonly #expressions: ReadonlyMap<string, string>;

  private constructor(joins: readonly string[], expressions: ReadonlyMap<string, string>) {
    this.#joins = joins;
    this.#expressions = expressions;
  }

  /** Numbers the parents that the unique keys of a table need, in the open transaction of `session`. */
  static async create(session: Session, table: Table, pools: Pools): Promise<NumberedParents> {
    const joins: string[] = [];
    const expressions = new Map<string, string>();
    for (const keys of keysOfReferences(table, pools)) {
      const chosen = keys.filter((key) => !key.columns.some((column) => expressions.has(column)));
      // Of the first parent each in turn, of the others another one in each round.
      let round = 'n';
      for (const [index, key] of chosen.entries()) {
        const name = `migrator_parent_${joins.length}`;
        const count = await numberParents(session, name, { table, key, isUnused: index === 0 });
        if (count === 0) continue;
        const place = index === 0 ? 'n' : `n + ${round}`;
        joins.push(`join pg_temp.${name} on ${name}.migrator_number = (${place}) % ${count}`);
        for (const [at, column] of key.columns.entries())
          expressions.set(column, `${name}.${quoteIdentifier(key.targetColumns[at] ?? '')}`);
        round = `${round} / ${count}`;
      }
    }
    return new NumberedParents(joins, expressions);
  }

  /** The joins of an insert that has the row's number as `n`. */
  get joins(): string {
    return this.#joins.join(' ');
  }

  /** Returns the expression for a column's value; undefined for a column that needs no numbered parent. */
  expressionOf(column: string): string | undefined {
    return this.#expressions.get(column);
  }
}

/** Numbers the rows of a foreign key's table from 0, or those that no row refers to, and returns how many there are. */
async function numberParents(
  session: Session,
  name: string,
  { table, key, isUnused }: { readonly table: Table; readonly key: ForeignKey; readonly isUnused: boolean },
): Promise<number> {
  const columns = key.targetColumns.map(quoteIdentifier).join(', ');
  const referring = key.columns
    .map(
      (column, at) =>
        `child.${quoteIdentifier(column)} = parent.${quoteIdentifier(key.targetColumns[at] ?? '')}`,
    )
    .join(' and ');
  const unused = isUnused ? `where not exists (select from ${table.name} child where ${referring})` : '';
  await session.query(
    `${rowsMark}drop table if exists pg_temp.${name};
     create temporary table ${name} on commit drop as
       select row_number() over () - 1 as migrator_number, ${columns} from ${key.target} parent ${unused};
     create index on pg_temp.${name} (migrator_number); analyze pg_temp.${name}`,
  );
  const [row] = await session.query<{ count: number }>(
    `${rowsMark}select count(*)::int as count from pg_temp.${name}`,
  );
  return row?.count ?? 0;
}
