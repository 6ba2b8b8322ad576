import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import { alone } from './safe-form.ts';

const rewriting = {
  mode: 'AccessExclusiveLock',
  blocks: 'reads and writes',
  held: 'while the table is rewritten',
} as const;

export const storageRules: readonly Rule[] = [
  {
    name: 'attach-partition',
    does: 'Attaches a table as a partition, and reads all its rows, or those of the default partition, for it.',
    locks:
      'ACCESS EXCLUSIVE on the table that becomes a partition, and on the default partition, while their rows are read.',
    why: 'A validated CHECK with the bounds of the partition proves them, so that nothing is read.',
    unsafe: {
      up: [
        `alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01')`,
      ],
    },
    safe: [
      {
        up: [
          `alter table events_2026 add constraint events_2026_day check (day is not null and day >= '2026-01-01' and day < '2027-01-01') not valid`,
        ],
      },
      { up: ['alter table events_2026 validate constraint events_2026_day'] },
      {
        up: [
          `alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01')`,
        ],
      },
    ],
    find: (statement) => {
      if (statement.actions('attach').length === 0) return [];
      const { relations } = statement.observation.after;
      return [...relations.values()]
        .filter(({ oid, kind }) => kind === 'r' && statement.isExisting(oid) && statement.isScanned(oid))
        .map(({ oid, label }) => ({
          object: `table ${label}`,
          table: oid,
          safe:
            `-- migration 1\nalter table ${label} add constraint … check (… the bounds, and the key is not null …) not valid;\n` +
            `-- migration 2\nalter table ${label} validate constraint …;\n-- migration 3\n${statement.observation.sql};`,
        }));
    },
  },
  {
    name: 'detach-partition',
    does: 'Detaches a partition without `concurrently`.',
    locks: 'ACCESS EXCLUSIVE on the partitioned table and the partition until the transaction ends.',
    why: 'It is short, and still waits for every query of any partition, while all later ones wait behind it. `concurrently` takes a lock that blocks neither reads nor writes.',
    unsafe: { up: ['alter table events detach partition events_2025'] },
    safe: [{ up: ['alter table events detach partition events_2025 concurrently'], transactional: false }],
    find: (statement) =>
      statement.actions('detach').flatMap(({ table, concurrent }): Match[] => {
        const found = statement.existing(table);
        return concurrent || !found
          ? []
          : [
              {
                object: `table ${found.label}`,
                table: found.oid,
                safe: alone(`${statement.observation.sql} concurrently;`),
              },
            ];
      }),
  },
  {
    name: 'refresh-materialized-view',
    does: 'Refreshes a materialized view without `concurrently`.',
    locks: 'ACCESS EXCLUSIVE on the view while its query runs: reads of it wait.',
    why: '`concurrently` compares old and new rows instead, and needs a unique index of the view.',
    unsafe: { up: ['refresh materialized view order_totals'] },
    safe: [{ up: ['refresh materialized view concurrently order_totals'] }],
    find: (statement) =>
      statement.actions('refresh').flatMap(({ name, concurrent }): Match[] => {
        const found = statement.existing(name);
        return concurrent || !found
          ? []
          : [
              {
                object: `materialized view ${found.label}`,
                table: found.oid,
                safe: `refresh materialized view concurrently ${found.label};`,
                lock: rewriting,
              },
            ];
      }),
  },
  {
    name: 'vacuum-full',
    does: 'Rewrites tables by `vacuum full`.',
    locks: 'ACCESS EXCLUSIVE on each table while it is rewritten: reads and writes wait.',
    why: 'Plain `vacuum` makes the space usable again without blocking reads or writes; what really has to shrink is rewritten online by an extension such as pg_repack.',
    unsafe: { up: ['vacuum (full) orders'], transactional: false },
    safe: [{ up: ['vacuum orders'], transactional: false }],
    find: (statement) =>
      ofTables(statement, 'vacuum full').map(({ object, table }) => ({
        object,
        table,
        safe: alone(table === null ? 'vacuum;' : `vacuum ${statement.label(table)};`),
        lock: rewriting,
      })),
  },
  {
    name: 'cluster',
    does: 'Rewrites tables in the order of an index by `cluster`.',
    locks: 'ACCESS EXCLUSIVE on each table while it is rewritten: reads and writes wait.',
    why: 'The order is lost with the next writes anyway. An index that covers the query is built concurrently; an extension such as pg_repack orders rows online.',
    unsafe: { up: ['cluster orders using orders_placed_at'] },
    safe: [
      {
        up: ['create index concurrently orders_by_time on orders (placed_at) include (number)'],
        transactional: false,
      },
    ],
    find: (statement) =>
      ofTables(statement, 'cluster').map(({ object, table }) => ({
        object,
        table,
        safe: '-- none that locks less: leave it out, or use pg_repack',
        lock: rewriting,
      })),
  },
];

function ofTables(
  statement: ObservedStatement,
  kind: 'vacuum full' | 'cluster',
): { readonly object: string; readonly table: number | null }[] {
  return statement.actions(kind).flatMap(({ name }): { object: string; table: number | null }[] => {
    if (name === null) return [{ object: 'all tables', table: null }];
    const found = statement.existing(name);
    return found ? [{ object: `table ${found.label}`, table: found.oid }] : [];
  });
}
