import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import type { ColumnState } from '../observation/snapshot.ts';
import { inTurn } from './safe-form.ts';

const rewriting =
  'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while every row is written anew, and every index is built anew.';

export const columnRules: readonly Rule[] = [
  {
    name: 'volatile-default',
    does: 'Adds a column whose default calls a volatile function, such as `gen_random_uuid()` or `clock_timestamp()`.',
    locks: rewriting,
    why: 'Such a default has another value in each row. A constant one, and `now()`, are stored once and rewrite nothing. Add the column empty, set the default for new rows, and fill the old ones in batches.',
    unsafe: { up: ['alter table orders add column token uuid default gen_random_uuid()'] },
    safe: [
      {
        up: [
          'alter table orders add column token uuid',
          'alter table orders alter column token set default gen_random_uuid()',
        ],
      },
    ],
    find: (statement) =>
      rewritten(statement)
        .filter((column) => kindOf(column) === 'volatile')
        .map((column) => {
          const [table, { quoted, type }] = [statement.label(column.relation), column];
          return ofColumn(
            statement,
            column,
            inTurn(
              `alter table ${table} add column ${quoted} ${type};\nalter table ${table} alter column ${quoted} set default ${column.default};`,
              `-- not transactional, by backfill(): update ${table} set ${quoted} = ${column.default} where ${quoted} is null`,
            ),
          );
        }),
  },
  {
    name: 'generated-column',
    does: 'Adds a stored generated column to an existing table.',
    locks: rewriting,
    why: 'Its value is computed for every row at once. A plain column, maintained by a trigger and filled in batches, needs no rewrite; since PostgreSQL 18 a virtual one needs none either.',
    unsafe: { up: ['alter table orders add column doubled int generated always as (number * 2) stored'] },
    safe: [
      {
        up: [
          'alter table orders add column doubled int',
          `create function set_doubled() returns trigger language plpgsql as 'begin new.doubled = new.number * 2; return new; end'`,
          'create trigger set_doubled before insert or update on orders for each row execute function set_doubled()',
        ],
      },
    ],
    find: (statement) =>
      rewritten(statement)
        .filter((column) => kindOf(column) === 'generated')
        .map((column) => {
          const table = statement.label(column.relation);
          return ofColumn(
            statement,
            column,
            inTurn(
              `alter table ${table} add column ${column.quoted} ${column.type};\n-- and a trigger before insert or update that sets it to ${column.default}`,
              `-- not transactional, by backfill(): update ${table} set ${column.quoted} = ${column.default}`,
            ),
          );
        }),
  },
  {
    name: 'identity-column',
    does: 'Adds an identity or serial column to an existing table.',
    locks: rewriting,
    why: 'Every row gets its number at once. Add the column empty with a sequence as its default, and fill the old rows in batches.',
    unsafe: { up: ['alter table orders add column position bigint generated always as identity'] },
    safe: [
      {
        up: [
          'alter table orders add column position bigint',
          'create sequence orders_position owned by orders.position',
          `alter table orders alter column position set default nextval('orders_position')`,
        ],
      },
    ],
    find: (statement) =>
      rewritten(statement)
        .filter((column) => kindOf(column) === 'identity')
        .map((column) => {
          const [table, { quoted, type, name }] = [statement.label(column.relation), column];
          const sequence = `"${statement.relation(column.relation)?.name ?? ''}_${name}_numbers"`;
          return ofColumn(
            statement,
            column,
            inTurn(
              `alter table ${table} add column ${quoted} ${type};\ncreate sequence ${sequence} owned by ${table}.${quoted};\n` +
                `alter table ${table} alter column ${quoted} set default nextval('${sequence}');`,
              `-- not transactional, by backfill(): update ${table} set ${quoted} = nextval('${sequence}') where ${quoted} is null`,
            ),
          );
        }),
  },
  {
    name: 'add-required-column',
    does: 'Adds a NOT NULL column without a default to an existing table.',
    locks: 'ACCESS EXCLUSIVE on the table, briefly.',
    why: 'It fails as soon as the table has a row, and code that runs meanwhile inserts rows without the column. A constant default costs nothing; other values need a column that may be NULL first.',
    unsafe: { up: ['alter table orders add column channel text not null'] },
    safe: [{ up: [`alter table orders add column channel text not null default 'web'`] }],
    find: (statement) =>
      statement
        .newColumns()
        .filter((one) => one.notNull && one.default === null && !one.isIdentity && one.generated === '')
        .map((column) => {
          const [table, { quoted, type }] = [statement.label(column.relation), column];
          return ofColumn(
            statement,
            column,
            `alter table ${table} add column ${quoted} ${type} not null default …;\n-- or without NOT NULL, then filled in batches, then NOT NULL by way of a validated check`,
          );
        }),
  },
  {
    name: 'change-type',
    does: 'Changes the type of a column so that the server rewrites the table, or reads all of it.',
    locks: rewriting,
    why: 'Wider `varchar`, or `varchar` to `text`, changes the catalog only, and is not reported. Others need a new column that a trigger keeps equal, a backfill, and a switch of the code.',
    unsafe: { up: ['alter table orders alter column number type bigint'] },
    safe: [
      {
        up: [
          'alter table orders add column number_new bigint',
          `create function copy_number() returns trigger language plpgsql as 'begin new.number_new = new.number; return new; end'`,
          'create trigger copy_number before insert or update on orders for each row execute function copy_number()',
        ],
      },
    ],
    find: (statement) =>
      statement
        .changedColumns()
        .filter(({ was, is }) => was.type !== is.type && statement.held(is.relation) !== 'briefly')
        .map(({ was, is }) => {
          const table = statement.label(is.relation);
          const fresh = `"${is.name}_new"`;
          return ofColumn(
            statement,
            is,
            inTurn(
              `alter table ${table} add column ${fresh} ${is.type};\n-- and a trigger before insert or update that sets it to ${is.quoted}`,
              `-- not transactional, by backfill(): update ${table} set ${fresh} = ${is.quoted}`,
              `-- once the code reads ${fresh} in place of ${was.quoted}: drop ${was.quoted} and the trigger`,
            ),
          );
        }),
  },
  {
    name: 'serial-type',
    does: 'Changes the type of a column to `serial`, `bigserial` or `smallserial`.',
    locks: 'None: PostgreSQL refuses it.',
    why: 'These are no types, only short forms of `create table` and `add column`. Generators write them where an integer key becomes wider.',
    unsafe: { up: ['alter table orders alter column number type bigserial'] },
    safe: [
      {
        up: [
          'alter table orders add column number_new bigint',
          'create sequence orders_number_new owned by orders.number_new',
          `alter table orders alter column number_new set default nextval('orders_number_new')`,
        ],
      },
    ],
    find: (statement) =>
      statement
        .actions('alter type')
        .filter(({ type }) => /^(?:(?:big|small)?serial|serial[248])$/.test(type))
        .flatMap(({ table, column }): Match[] => {
          const found = statement.existing(table);
          return [
            {
              object: `column ${found?.label ?? table}.${column}`,
              table: null,
              safe: `-- an integer type, as a change of type: see change-type\nalter table ${found?.label ?? table} alter column "${column}" type bigint;`,
            },
          ];
        }),
  },
  {
    name: 'json-column',
    does: 'Adds a column of the type `json` to an existing table.',
    locks: 'ACCESS EXCLUSIVE on the table, briefly.',
    why: '`json` has no equality operator, so `select distinct`, `union` and `group by` of queries that run today fail. `jsonb` has one.',
    unsafe: { up: ['alter table orders add column details json'] },
    safe: [{ up: ['alter table orders add column details jsonb'] }],
    find: (statement) =>
      statement
        .newColumns()
        .filter(({ type }) => type === 'json' || type === 'json[]')
        .map((column) =>
          ofColumn(
            statement,
            column,
            `alter table ${statement.label(column.relation)} add column ${column.quoted} ${column.type.replace('json', 'jsonb')};`,
          ),
        ),
  },
];

function ofColumn(statement: ObservedStatement, { relation, quoted }: ColumnState, safe: string): Match {
  return { object: `column ${statement.label(relation)}.${quoted}`, table: relation, safe };
}

function rewritten(statement: ObservedStatement): ColumnState[] {
  return statement.newColumns().filter(({ relation }) => statement.isRewritten(relation));
}

function kindOf(column: ColumnState): 'generated' | 'identity' | 'volatile' | null {
  if (column.generated === 's') return 'generated';
  if (column.isIdentity || column.default?.startsWith('nextval(')) return 'identity';
  return column.isVolatile ? 'volatile' : null;
}
