import type { ObservedStatement } from '../observation/observed-statement.ts';
import { blocksOf } from '../observation/locks.ts';
import type { Constraint } from '../observation/snapshot.ts';
import type { Match, Rule } from './rule.ts';
import { inTurn } from './safe-form.ts';

export const constraintRules: readonly Rule[] = [
  {
    name: 'add-foreign-key',
    does: 'Adds a foreign key to an existing table, and compares its rows at once.',
    locks:
      'SHARE ROW EXCLUSIVE on both tables until the transaction ends: reads go on, writes to either table wait while every row is compared.',
    why: '`not valid` adds the key for new rows without reading the old ones. `validate constraint` compares these later under locks that block neither reads nor writes.',
    unsafe: {
      up: [
        'alter table orders add constraint orders_customer foreign key (customer_id) references customers (id)',
      ],
    },
    safe: [
      { up: ['create index concurrently orders_customer_id on orders (customer_id)'], transactional: false },
      {
        up: [
          'alter table orders add constraint orders_customer foreign key (customer_id) references customers (id) not valid',
        ],
      },
      { up: ['alter table orders validate constraint orders_customer'] },
    ],
    find: (statement) =>
      statement
        .newConstraints('f')
        .filter((one) => statement.isForeignKeyChecked(one))
        .map((one) => validatedLater(statement, one)),
  },
  {
    name: 'add-check',
    does: 'Adds a CHECK to an existing table, and checks its rows at once.',
    locks:
      'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while every row is checked.',
    why: '`not valid` holds for new rows at once, without reading the old ones. `validate constraint` checks these later under a lock that blocks neither reads nor writes.',
    unsafe: { up: ['alter table orders add constraint orders_number_positive check (number > 0)'] },
    safe: [
      { up: ['alter table orders add constraint orders_number_positive check (number > 0) not valid'] },
      { up: ['alter table orders validate constraint orders_number_positive'] },
    ],
    find: (statement) =>
      statement
        .newConstraints('c')
        .filter(({ isValidated, relation }) => isValidated && statement.isScanned(relation))
        .map((one) => validatedLater(statement, one)),
  },
  {
    name: 'set-not-null',
    does: 'Sets NOT NULL on a column of an existing table, and reads all rows for it.',
    locks:
      'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while every row is read.',
    why: 'PostgreSQL skips the scan where a valid CHECK proves that the column has no NULL. That check is added `not valid` and validated without blocking reads or writes.',
    unsafe: { up: ['alter table orders alter column number set not null'] },
    safe: [
      {
        up: ['alter table orders add constraint orders_number_not_null check (number is not null) not valid'],
      },
      { up: ['alter table orders validate constraint orders_number_not_null'] },
      {
        up: [
          'alter table orders alter column number set not null',
          'alter table orders drop constraint orders_number_not_null',
        ],
      },
    ],
    find: (statement) =>
      statement.newConstraints('p').length > 0
        ? []
        : statement
            .changedColumns()
            .filter(({ was, is }) => !was.notNull && is.notNull && statement.isScanned(is.relation))
            .map(({ is: { relation, quoted, name } }) => {
              const table = statement.label(relation);
              const check = `${statement.relation(relation)?.name ?? ''}_${name}_not_null`;
              return {
                object: `column ${table}.${quoted}`,
                table: relation,
                safe: inTurn(
                  `alter table ${table} add constraint "${check}" check (${quoted} is not null) not valid;`,
                  `alter table ${table} validate constraint "${check}";`,
                  `alter table ${table} alter column ${quoted} set not null;\nalter table ${table} drop constraint "${check}";`,
                ),
              };
            }),
  },
  {
    name: 'add-unique',
    does: 'Adds a unique constraint to an existing table, and builds its index meanwhile.',
    locks:
      'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while the index is built.',
    why: 'A unique index is built concurrently, and then becomes the constraint in a moment.',
    unsafe: { up: ['alter table orders add constraint orders_number_key unique (number)'] },
    safe: [
      { up: ['create unique index concurrently orders_number_key on orders (number)'], transactional: false },
      { up: ['alter table orders add constraint orders_number_key unique using index orders_number_key'] },
    ],
    find: (statement) => ofIndexes(statement, 'u'),
  },
  {
    name: 'add-primary-key',
    does: 'Adds a primary key to an existing table, and builds its index meanwhile.',
    locks:
      'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while the index is built and the columns are checked for NULL.',
    why: 'A unique index is built concurrently, and then becomes the key in a moment, if the columns are NOT NULL already.',
    unsafe: { up: ['alter table events_2026 add constraint events_2026_pkey primary key (id)'] },
    safe: [
      { up: ['alter table events_2026 add constraint events_2026_id check (id is not null) not valid'] },
      { up: ['alter table events_2026 validate constraint events_2026_id'] },
      {
        up: [
          'alter table events_2026 alter column id set not null',
          'alter table events_2026 drop constraint events_2026_id',
        ],
      },
      { up: ['create unique index concurrently events_2026_pkey on events_2026 (id)'], transactional: false },
      {
        up: [
          'alter table events_2026 add constraint events_2026_pkey primary key using index events_2026_pkey',
        ],
      },
    ],
    find: (statement) => ofIndexes(statement, 'p'),
  },
  {
    name: 'add-exclusion',
    does: 'Adds an exclusion constraint to an existing table.',
    locks:
      'ACCESS EXCLUSIVE on the table until the transaction ends: reads and writes wait while the index is built and every row is compared.',
    why: 'PostgreSQL has no form of it that does not lock: neither `not valid` nor `using index`. Create it together with the table, or fill a new table that has it, or choose a quiet hour and silence the rule.',
    unsafe: { up: ['alter table orders add constraint orders_hours exclude using gist (hours with &&)'] },
    safe: [
      {
        up: [
          'create table bookings (id bigint primary key, hours tstzrange, exclude using gist (hours with &&))',
        ],
      },
    ],
    find: (statement) => ofIndexes(statement, 'x'),
  },
  {
    name: 'validate-in-same-transaction',
    does: 'Validates a constraint in the transaction that still holds a lock on its table, such as the one that added it.',
    locks:
      'The lock that a statement before it took is held until the transaction ends, so also while every row is checked.',
    why: '`not valid` gains nothing then. Validate in the next migration, whose transaction holds no such lock.',
    unsafe: {
      up: [
        'alter table orders add constraint orders_number_positive check (number > 0) not valid',
        'alter table orders validate constraint orders_number_positive',
      ],
    },
    safe: [
      { up: ['alter table orders add constraint orders_number_positive check (number > 0) not valid'] },
      { up: ['alter table orders validate constraint orders_number_positive'] },
    ],
    find: (statement) =>
      validated(statement).flatMap(({ quoted, relation, references }): Match[] => {
        const locked = [relation, references].find(
          (table) => statement.isExisting(table) && blocksOf(statement.lockOn(table)) !== 'nothing',
        );
        if (locked === undefined) return [];
        const table = statement.label(relation);
        return [
          {
            object: `constraint ${quoted} of ${table}`,
            table: locked,
            safe: `-- in the next migration\nalter table ${table} validate constraint ${quoted};`,
          },
        ];
      }),
  },
  {
    name: 'alter-domain-constraint',
    does: 'Adds a constraint to a domain that columns of existing tables have.',
    locks:
      'SHARE on every table with such a column until the transaction ends: writes wait while all their rows are checked.',
    why: 'One statement scans several tables. `not valid` and `validate constraint` exist for domains too; validating still takes the SHARE locks, so it needs a quiet hour, or checks on the tables themselves.',
    unsafe: { up: ['alter domain amount add constraint amount_positive check (value > 0)'] },
    safe: [{ up: ['alter domain amount add constraint amount_positive check (value > 0) not valid'] }],
    find: (statement) =>
      statement.actions('alter domain').some(({ validated: isValidated }) => isValidated)
        ? statement.newlyBlocked().map((table) => ({
            object: `domain of columns of ${statement.label(table)}`,
            table,
            safe: `${statement.observation.sql} not valid;`,
            lock: { mode: 'ShareLock', blocks: 'writes', held: 'while the table is scanned' },
          }))
        : [],
  },
];

/** Returns the constraints that existed before and are validated by the statement. */
export function validated({ observation: { before, after } }: ObservedStatement): Constraint[] {
  return [...after.constraints.values()].filter(
    ({ oid, isValidated }) => isValidated && before.constraints.get(oid)?.isValidated === false,
  );
}

function validatedLater(statement: ObservedStatement, { quoted, relation, definition }: Constraint): Match {
  const table = statement.label(relation);
  return {
    object: `constraint ${quoted} of ${table}`,
    table: relation,
    safe: inTurn(
      `alter table ${table} add constraint ${quoted} ${definition} not valid;`,
      `alter table ${table} validate constraint ${quoted};`,
    ),
  };
}

function ofIndexes(statement: ObservedStatement, type: 'u' | 'p' | 'x'): Match[] {
  return statement
    .newConstraints(type)
    .filter(({ index }) => statement.wasBuilt(index))
    .map(({ quoted, relation, index }) => {
      const table = statement.label(relation);
      const definition = statement.observation.after.indexes.get(index)?.definition ?? '';
      const kind = type === 'p' ? 'primary key' : 'unique';
      return {
        object: `constraint ${quoted} of ${table}`,
        table: relation,
        safe:
          type === 'x'
            ? '-- none: create it with the table, or fill a new table that has it'
            : `-- migration 1, whose isTransactional() returns false\n${definition.replace(/^CREATE UNIQUE INDEX/, 'create unique index concurrently')};\n` +
              `-- migration 2\nalter table ${table} add constraint ${quoted} ${kind} using index ${quoted};`,
      };
    });
}
