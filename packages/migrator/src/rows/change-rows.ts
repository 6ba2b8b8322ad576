import type { Session } from '../session/session.ts';
import type { Filling } from './fill.ts';
import { literal, quoteIdentifier } from './row.ts';
import { tryStatements } from './server-functions.ts';

/** Updates some rows of each touched table, and deletes one, as code does that runs between two migrations. */
export async function changeRows(session: Session, { tables, pools, touched }: Filling): Promise<void> {
  const work = tables.tables
    .filter(({ name }) => touched.has(name))
    .flatMap((table) => {
      const rowAt = (offset: number): string =>
        `(tableoid, ctid) = (select tableoid, ctid from ${table.name} order by tableoid, ctid desc offset ${offset} limit 1)`;
      const keys = new Set([...table.keys, ...table.foreignKeys].flatMap(({ columns }) => columns));
      const updates = table.columns
        .filter(({ name, isGenerated, isIdentity }) => !isGenerated && !isIdentity && !keys.has(name))
        .flatMap(({ name }, index) => {
          const { values, named } = pools.of(table, name);
          const value = [...named, ...values][index % Math.max(named.size + values.length, 1)];
          if (value === undefined) return [];
          return [
            [
              `update ${table.name} set ${quoteIdentifier(name)} = ${literal(value)} where ${rowAt(index % 5)} returning '{}'::jsonb`,
            ],
          ];
        });
      return [...updates, [`delete from ${table.name} where ${rowAt(1)} returning '{}'::jsonb`]];
    });
  await tryStatements(
    session,
    work,
    tables.tables.some(({ isDeferrable }) => isDeferrable),
  );
}
