import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import { inTurn } from './safe-form.ts';

const brief = 'ACCESS EXCLUSIVE on the table, briefly. The lock is cheap; the running code is the problem.';
const why =
  'The code that runs while the migration is deployed uses the old name, and each of its queries fails from the commit on. The code that uses the new one fails until then.';

export const renameRules: readonly Rule[] = [
  {
    name: 'rename-column',
    does: 'Renames a column of an existing table.',
    locks: brief,
    why: `${why} Add a new column that a trigger keeps equal, switch the code, and drop the old one later: \`create NAME --rename-column orders.number:quantity\` writes that.`,
    unsafe: { up: ['alter table orders rename column number to quantity'] },
    safe: [
      {
        up: [
          'alter table orders add column quantity int',
          `create function copy_quantity() returns trigger language plpgsql as 'begin new.quantity = new.number; return new; end'`,
          'create trigger copy_quantity before insert or update on orders for each row execute function copy_quantity()',
        ],
      },
    ],
    find: (statement) =>
      upOnly(statement, () =>
        statement
          .changedColumns()
          .filter(({ was, is }) => was.name !== is.name && isTable(statement, is.relation))
          .map(({ was, is }) => {
            const table = statement.label(is.relation);
            return {
              object: `column ${table}.${was.quoted}`,
              table: is.relation,
              safe: inTurn(
                `alter table ${table} add column ${is.quoted} ${is.type};\n-- and a trigger before insert or update that keeps ${was.quoted} and ${is.quoted} equal`,
                `-- not transactional, by backfill(): update ${table} set ${is.quoted} = ${was.quoted}`,
                `-- once no running code uses ${was.quoted}\nalter table ${table} drop column ${was.quoted};`,
              ),
            };
          }),
      ),
  },
  {
    name: 'rename-table',
    does: 'Renames an existing table or view, or moves it to another schema.',
    locks: brief,
    why: `${why} Where the table keeps its columns, a view with the old name, in the same transaction, serves the running code.`,
    unsafe: { up: ['alter table customers rename to clients'] },
    safe: [{ up: ['create view clients as select id, email, name from customers'] }],
    find: (statement) =>
      upOnly(statement, () =>
        statement
          .renamed((snapshot) => snapshot.relations)
          .filter(({ was }) => ['r', 'p', 'v', 'm', 'f'].includes(was.kind) && statement.isExisting(was.oid))
          .filter(({ was, is }) => was.name !== is.name || !renamesSchema(statement, was.schema))
          .map(({ was, is }) => ({
            object: `table ${was.label}`,
            table: was.oid,
            safe: inTurn(
              `create view ${is.label} as select * from ${was.label};\n-- the code that is deployed next uses ${is.label}`,
              `-- once no running code uses ${was.label}\ndrop view ${is.label};\nalter table ${was.label} rename to …;`,
            ),
          })),
      ),
  },
  {
    name: 'rename-schema',
    does: 'Renames a schema.',
    locks: 'None on tables.',
    why: `${why} This holds for every table in it. Create the new schema, and move the tables one by one, each with a view in its old place.`,
    unsafe: { up: ['alter schema archive rename to history'] },
    safe: [{ up: ['create schema history', 'create view history.orders as select id from archive.orders'] }],
    find: (statement) =>
      upOnly(statement, () =>
        statement
          .renamed((snapshot) => snapshot.schemas)
          .filter(({ was }) => statement.migration.start.schemas.has(was.oid))
          .map(({ was, is }) => ({
            object: `schema ${was.label}`,
            table: null,
            safe: `create schema ${is.label};\n-- and a view there for each table of ${was.label}, until no running code uses ${was.label}`,
          })),
      ),
  },
  {
    name: 'rename-enum-value',
    does: 'Renames a value of an existing enum.',
    locks: 'None on tables.',
    why: `${why} Here the old code writes a value that no longer exists, and reads one that it does not know.`,
    unsafe: { up: [`alter type order_state rename value 'sent' to 'shipped'`] },
    safe: [{ up: [`alter type order_state add value 'shipped'`] }],
    find: (statement) =>
      upOnly(statement, () => {
        const { before, after } = statement.observation;
        return [...before.enumValues].flatMap(([oid, was]): Match[] => {
          const is = after.enumValues.get(oid);
          if (!is || is.value === was.value || !statement.migration.start.enumValues.has(oid)) return [];
          return [
            {
              object: `value ${was.value} of ${was.type}`,
              table: null,
              safe: inTurn(
                `alter type ${was.type} add value '${is.value.replaceAll("'", "''")}';`,
                `-- once all running code knows it, by backfill(): rows with '${was.value}' become '${is.value}'`,
              ),
            },
          ];
        });
      }),
  },
];

// Going back, the code that uses the new name is gone first.
export function upOnly(statement: ObservedStatement, find: () => Match[]): Match[] {
  return statement.migration.direction === 'up' ? find() : [];
}

function isTable(statement: ObservedStatement, oid: number): boolean {
  return ['r', 'p', 'f'].includes(statement.relation(oid)?.kind ?? '');
}

function renamesSchema(statement: ObservedStatement, schema: string): boolean {
  return statement
    .renamed((snapshot) => snapshot.schemas)
    .some(({ was }) => was.label.replaceAll('"', '') === schema);
}
