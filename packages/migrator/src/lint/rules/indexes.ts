import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import { alone } from './safe-form.ts';

export const indexRules: readonly Rule[] = [
  {
    name: 'create-index',
    does: 'Builds an index on an existing table without `concurrently`.',
    locks:
      'SHARE on the table until the transaction ends: reads go on, every write waits while the index is built.',
    why: 'The build reads and sorts the whole table. `concurrently` takes longer, and blocks neither reads nor writes.',
    unsafe: { up: ['create index orders_number on orders (number)'] },
    safe: [{ up: ['create index concurrently orders_number on orders (number)'], transactional: false }],
    find: (statement) =>
      isConcurrent(statement, 'create index')
        ? []
        : statement.newIndexes().map(({ label, relation, definition }) => ({
            object: `index ${label}`,
            table: relation,
            safe:
              statement.relation(relation)?.kind === 'p'
                ? `-- A partitioned table: without its partitions, then concurrently for each, then attach them.\n${definition.replace(/ ON /, ' ON ONLY ')};`
                : alone(`${definition.replace(/^CREATE (UNIQUE )?INDEX/, 'CREATE $1INDEX CONCURRENTLY')};`),
          })),
  },
  {
    name: 'drop-index',
    does: 'Drops an index of an existing table without `concurrently`.',
    locks:
      'ACCESS EXCLUSIVE on the table and the index until the transaction ends. The drop is short, and still waits for every query that uses the table, while all later ones wait behind it.',
    why: 'Behind one long query, `drop index` stops all use of the table. `drop index concurrently` waits under a lock that blocks neither reads nor writes.',
    unsafe: { up: ['drop index orders_placed_at'] },
    safe: [{ up: ['drop index concurrently orders_placed_at'], transactional: false }],
    find: (statement) =>
      isConcurrent(statement, 'drop index') || statement.actions('drop index').length === 0
        ? []
        : statement.droppedIndexes().map(({ label, relation }) => ({
            object: `index ${label}`,
            table: relation,
            safe: alone(`drop index concurrently ${label};`),
          })),
  },
  {
    name: 'reindex',
    does: 'Rebuilds indexes without `concurrently`.',
    locks:
      'SHARE on the table, and ACCESS EXCLUSIVE on each index while it is rebuilt: writes wait, and so do reads, because planning a query opens every index of its table.',
    why: 'Measured at 1,000,000 rows, reads waited as long as writes. `reindex … concurrently` builds the new index beside the old one.',
    unsafe: { up: ['reindex table orders'] },
    safe: [{ up: ['reindex table concurrently orders'], transactional: false }],
    find: (statement) =>
      statement.actions('reindex').flatMap(({ name, concurrent }): Match[] => {
        const found = statement.existing(name);
        if (concurrent || !found) return [];
        const { indexes } = statement.observation.before;
        const table = indexes.get(found.oid)?.relation ?? found.oid;
        const what = table === found.oid ? 'table' : 'index';
        return [
          {
            object: `${what} ${found.label}`,
            table,
            safe: alone(`reindex ${what} concurrently ${found.label};`),
            lock: {
              mode: 'AccessExclusiveLock',
              blocks: 'reads and writes',
              held: 'while the index is built',
            },
          },
        ];
      }),
  },
  {
    name: 'concurrently-in-transaction',
    does: 'Runs a statement with `concurrently` in a transaction: in a migration that is transactional, or in one text with other statements.',
    locks: 'None: PostgreSQL refuses it.',
    why: 'Such a statement commits between its steps, so it needs to stand alone. Some tools hang instead, with one session waiting for the other.',
    unsafe: { up: ['create index concurrently orders_number on orders (number)'] },
    safe: [{ up: ['create index concurrently orders_number on orders (number)'], transactional: false }],
    find: ({ observation: { refusal, sql } }) =>
      refusal?.state === '25001' && /\bconcurrently\b/i.test(sql)
        ? [{ object: 'the transaction', table: null, safe: alone(`${sql};`) }]
        : [],
  },
];

function isConcurrent(statement: ObservedStatement, kind: 'create index' | 'drop index'): boolean {
  return (
    statement.actions(kind).some(({ concurrent }) => concurrent) || statement.observation.refusal !== null
  );
}
