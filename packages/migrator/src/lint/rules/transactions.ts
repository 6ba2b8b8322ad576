import { blocksOf } from '../observation/locks.ts';
import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import { validated } from './constraints.ts';

// A queue behind a lock is noticed by users from here on.
const longestLockTimeout = 5_000;

export const transactionRules: readonly Rule[] = [
  {
    name: 'whole-table-write',
    does: 'Updates or deletes all rows of an existing table in one statement, or reads all of them to find some.',
    locks:
      'Every changed row until the transaction ends: writes of them wait. Measured at 1,000,000 rows: four seconds.',
    why: 'It also doubles the size of the table, and delays replicas. `backfill()` updates in batches, each in a separate transaction, and resumes after an interruption.',
    unsafe: { up: [`update orders set note = 'none'`] },
    safe: [
      {
        up: [
          `-- backfill {"table":"orders","by":["id"],"set":"note = 'none'","where":null,"batch":1000,"sleep":0}\nupdate "orders" set\n  note = 'none'`,
        ],
        transactional: false,
      },
    ],
    find: (statement) =>
      statement.actions('update', 'delete', 'merge').flatMap(({ kind, table, filtered }): Match[] => {
        const found = statement.existing(table);
        if (!found || (filtered && statement.observation.scanned.length === 0)) return [];
        return [
          {
            object: `table ${found.label}`,
            table: found.oid,
            safe:
              kind === 'update'
                ? `// in a migration whose isTransactional() returns false\nthis.addSql(backfill('${found.label.replaceAll('"', '')}', { by: '…its key…', set: '…', where: '…' }));`
                : `-- in batches by the key, each in a transaction, or with a condition that an index serves\ndelete from ${found.label} where …;`,
            lock: { mode: 'RowExclusiveLock', blocks: 'writes', held: 'while the rows are written' },
          },
        ];
      }),
  },
  {
    name: 'enum-value-used',
    does: 'Uses a value of an enum in the transaction that adds it.',
    locks: 'None: PostgreSQL refuses it.',
    why: 'A new value is safe to use only after the commit that adds it. Add it in a separate migration.',
    unsafe: {
      up: [`alter type order_state add value 'lost'`, `update orders set state = 'lost' where id = 1`],
    },
    safe: [
      { up: [`alter type order_state add value 'lost'`] },
      { up: [`update orders set state = 'lost' where id = 1`] },
    ],
    find: ({ observation: { refusal, sql } }) =>
      refusal?.state === '55P04'
        ? [{ object: 'the new value', table: null, safe: `-- in the next migration\n${sql};` }]
        : [],
  },
  {
    name: 'work-after-exclusive-lock',
    does: 'Does work that takes the longer the more rows a table has, after a statement before it in the same transaction took ACCESS EXCLUSIVE on an existing table.',
    locks:
      'The lock that a statement before it took, until the transaction ends: reads and writes wait for the work as well.',
    why: 'Locks are released when the transaction ends. Do the long work first, or in another migration.',
    unsafe: {
      up: ['alter table customers add column note text', 'create index orders_number on orders (number)'],
    },
    safe: [
      { up: ['alter table customers add column note text'] },
      { up: ['create index concurrently orders_number on orders (number)'], transactional: false },
    ],
    find: (statement) => {
      if (!statement.observation.inTransaction || validated(statement).length > 0) return [];
      const [worked] = statement.workedOn();
      const locked = exclusivelyLocked(statement);
      if (worked === undefined || locked === undefined) return [];
      return [
        {
          object: `table ${statement.label(locked)}`,
          table: locked,
          safe: `-- in another migration\n${statement.observation.sql};`,
          lock: { mode: 'AccessExclusiveLock', blocks: 'reads and writes', held: statement.held(worked) },
        },
      ];
    },
  },
  {
    name: 'lock-timeout',
    does: `Takes a lock that stops others, such as \`create trigger\` does, with a \`lock_timeout\` of 0 or of more than ${longestLockTimeout / 1_000} s.`,
    locks: 'While the statement waits for its lock, all that come later wait behind it, reads too.',
    why: 'Behind one long query the whole table stands still. With a short timeout the migrator steps aside, lets the others through, and retries. Its default is 1 s.',
    unsafe: {
      up: [
        `create function reject() returns trigger language plpgsql as 'begin return null; end'`,
        'create trigger reject before delete on orders for each row execute function reject()',
      ],
      lockTimeout: 0,
    },
    safe: [
      {
        up: [
          `create function reject() returns trigger language plpgsql as 'begin return null; end'`,
          'create trigger reject before delete on orders for each row execute function reject()',
        ],
      },
    ],
    once: true,
    find: (statement) => {
      const { lockTimeout } = statement.observation.before;
      const [table] = statement.newlyBlocked();
      if (table === undefined || !statement.observation.inTransaction) return [];
      if (lockTimeout > 0 && lockTimeout <= longestLockTimeout) return [];
      return [
        {
          object: `table ${statement.label(table)}`,
          table,
          safe: '// in the class, or without it: the default is 1,000\nreadonly lockTimeout = 1_000;',
        },
      ];
    },
  },
  {
    name: 'session-set',
    does: 'Sets a setting for the session, by `set` without `local`, or by `set_config` with `false`.',
    locks: 'None.',
    why: 'Behind a pooler in transaction mode the session goes on to serve others, with that setting: measured, 95 of 360 of their queries had it. `set local` ends with the transaction.',
    unsafe: { up: [`set lock_timeout = '2s'`] },
    safe: [{ up: [`set local lock_timeout = '2s'`] }],
    find: (statement) =>
      statement
        .actions('set')
        .filter(({ local }) => !local)
        .map(({ name }) => ({
          object: `setting ${name}`,
          table: null,
          safe: /^\s*set\b/i.test(statement.observation.sql)
            ? `${statement.observation.sql.replace(/^(\s*set)(?:\s+session)?\b/i, '$1 local')};`
            : `select set_config('${name}', …, true);`,
        })),
  },
  {
    name: 'blocking-work',
    does: 'Does work that takes the longer the more rows a table has, while its transaction holds a lock that stops others. A form that no other rule names.',
    locks: 'As the server reported it for this statement.',
    why: 'It was observed on a scratch database: the server rewrote or read a table, or built an index, under that lock. Such work belongs in a migration that holds no lock, in batches.',
    unsafe: { up: ['alter table orders set unlogged'] },
    safe: [{ up: ['alter table orders set (fillfactor = 90)'] }],
    find: (statement, found) =>
      found.length > 0
        ? []
        : statement
            .workedOn()
            .filter((table) => blocksOf(statement.lockOn(table)) !== 'nothing')
            .map((table) => ({
              object: `table ${statement.label(table)}`,
              table,
              safe: '-- none is known: run it in a quiet hour, alone in its migration',
            })),
  },
];

function exclusivelyLocked(statement: ObservedStatement): number | undefined {
  return [...statement.observation.before.locks].find(
    ([oid, modes]) =>
      modes.includes('AccessExclusiveLock') &&
      statement.isExisting(oid) &&
      ['r', 'p', 'm', 'f'].includes(statement.relation(oid)?.kind ?? ''),
  )?.[0];
}
