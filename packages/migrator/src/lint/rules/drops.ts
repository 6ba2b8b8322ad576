import { isDeclaredBy } from '../../files/declarations.ts';
import type { ObservedStatement } from '../observation/observed-statement.ts';
import type { Match, Rule } from './rule.ts';
import type { RelationState } from '../observation/snapshot.ts';
import { inTurn } from './safe-form.ts';
import { upOnly } from './renames.ts';

const exclusive = { mode: 'AccessExclusiveLock', blocks: 'reads and writes', held: 'briefly' } as const;

export const dropRules: readonly Rule[] = [
  {
    name: 'drop-column',
    does: 'Drops a column of an existing table.',
    locks: 'ACCESS EXCLUSIVE on the table, briefly.',
    why: 'The running code still reads and writes the column, and each of its queries fails from the commit on. First deploy code that does not use it; then drop it in a later release, and silence the rule there with that reason.',
    unsafe: { up: ['alter table orders drop column total'] },
    safe: [{ up: ['alter table orders alter column total drop default'] }],
    find: (statement) =>
      upOnly(statement, () =>
        statement
          .droppedColumns()
          .filter(({ relation }) => statement.isExisting(relation))
          .map(({ relation, quoted }) => {
            const table = statement.label(relation);
            return {
              object: `column ${table}.${quoted}`,
              table: relation,
              safe: inTurn(
                `-- code that does not use ${table}.${quoted}`,
                `alter table ${table} drop column ${quoted};\n-- with: static lint = { 'drop-column': 'no running code uses it since …' }`,
              ),
            };
          }),
      ),
  },
  {
    name: 'drop-table',
    does: 'Drops an existing table, view or materialized view.',
    locks:
      'ACCESS EXCLUSIVE on the table, and on tables that its foreign keys reference, until the transaction ends.',
    why: 'The running code still uses it. First deploy code that does not; then drop it in a later release, and silence the rule there with that reason.',
    unsafe: { up: ['drop view order_notes'] },
    safe: [{ up: [`comment on view order_notes is 'unused since 2026-12: dropped with the next release'`] }],
    find: (statement) =>
      upOnly(statement, () =>
        statement
          .droppedRelations('r', 'p', 'v', 'm', 'f')
          .filter(({ oid }) => statement.isExisting(oid))
          .filter((one) => !isReplaced(statement, one))
          .map(({ oid, label, kind }) => {
            const what = kind === 'v' ? 'view' : kind === 'm' ? 'materialized view' : 'table';
            return {
              object: `${what} ${label}`,
              table: oid,
              safe: inTurn(
                `-- code that does not use ${label}`,
                `drop ${what} ${label};\n-- with: static lint = { 'drop-table': 'no running code uses it since …' }`,
              ),
            };
          }),
      ),
  },
  {
    name: 'drop-cascade',
    does: 'Drops with `cascade`, and takes objects along that the statement does not name: views with what was granted on them, foreign keys of other tables, functions, triggers. Or drops a view and creates it again without the privileges that it had.',
    locks: 'ACCESS EXCLUSIVE on the tables of all that goes along, until the transaction ends.',
    why: 'Another database may have more dependent objects than this one, and they go without notice. Name each in a statement, so that both directions have it.',
    unsafe: { up: ['alter table orders drop column note cascade'] },
    safe: [{ up: ['drop view order_notes', 'create view order_notes as select id from orders'] }],
    find: (statement) => {
      const dropping = statement.actions('drop').filter(({ cascade }) => cascade);
      const taken = dropping.length === 0 ? [] : takenAlong(statement);
      const lost = lostPrivileges(statement);
      return [
        ...lost,
        ...taken.map((object) => ({
          object,
          table: null,
          safe: `-- before it, as a separate statement: drop ${object};\n-- and then without cascade: ${statement.observation.sql.replaceAll(/\s+cascade\b/gi, '')};`,
        })),
      ];
    },
  },
  {
    name: 'truncate',
    does: 'Empties an existing table.',
    locks:
      'ACCESS EXCLUSIVE on the table, and with `cascade` on all that reference it, until the transaction ends.',
    why: 'The rows can not be brought back by `down`, and with `cascade` those of other tables go as well. Delete in batches what is no longer needed, by a condition.',
    unsafe: { up: ['truncate orders'] },
    safe: [{ up: [`delete from orders where id = 0`] }],
    find: (statement) =>
      statement.actions('truncate').length === 0
        ? []
        : emptied(statement).map(({ label, oid }) => ({
            object: `table ${label}`,
            table: oid,
            safe: `delete from ${label} where …; -- in batches`,
            // Its indexes are built, of no rows.
            lock: exclusive,
          })),
  },
  {
    name: 'undeclared-loss',
    does: 'Drops, in `down`, a table or a column that may have values by then, and does not declare it.',
    locks: 'ACCESS EXCLUSIVE on the table, briefly.',
    why: 'What was written since `up` is lost, and a later `up` brings it back empty. `static loses` declares that, for the operator who goes back, and `verify` compares it with what is lost.',
    unsafe: {
      up: ['alter table orders add column gift text'],
      down: ['alter table orders drop column gift'],
    },
    safe: [
      {
        up: ['alter table orders add column gift text'],
        down: ['alter table orders drop column gift'],
        loses: ['orders.gift: the wishes that customers wrote'],
      },
    ],
    find: (statement) => (statement.migration.direction === 'down' ? undeclared(statement) : []),
  },
];

// A view that the migration creates again, perhaps with other columns, serves the running code on.
function isReplaced({ migration }: ObservedStatement, { kind, label }: RelationState): boolean {
  const isView = kind === 'v' || kind === 'm';
  return isView && [...migration.final.relations.values()].some((one) => one.label === label);
}

// A view that is created again has the default privileges.
function lostPrivileges(statement: ObservedStatement): Match[] {
  const after = [...statement.migration.final.relations.values()];
  return statement.droppedRelations('v', 'm').flatMap(({ label, privileges }) => {
    const again = after.find((one) => one.label === label);
    if (!again || privileges === null || again.privileges === privileges) return [];
    const safe = `-- after it is created again\ngrant … on ${label} to …; -- it had ${privileges}`;
    return [{ object: `privileges of ${label}`, table: null, safe }];
  });
}

function takenAlong(statement: ObservedStatement): string[] {
  const { before, after } = statement.observation;
  const named = statement.actions('drop').map(({ name }) => name.replaceAll('"', ''));
  const isNamed = (schema: string, name: string): boolean =>
    named.includes(name) || named.includes(`${schema}.${name}`);
  const relations = statement
    .droppedRelations('r', 'p', 'v', 'm', 'f')
    .filter(({ schema, name, parent }) => !isNamed(schema, name) && parent === 0);
  const keys = [...before.constraints.values()].filter(
    ({ oid, type, relation, name }) =>
      type === 'f' && !after.constraints.has(oid) && after.relations.has(relation) && !isNamed('', name),
  );
  const others = [...before.others.values()].filter(
    ({ oid, label }) =>
      !after.others.has(oid) &&
      !named.some((name) => label.includes(` ${name.split('.').at(-1) ?? ''}`)) &&
      !relations.some((one) => label.endsWith(` of ${one.label}`)),
  );
  return [
    ...relations.map(({ kind, label }) => `${kinds[kind] ?? 'table'} ${label}`),
    ...keys.map(({ quoted, relation }) => `constraint ${quoted} of ${statement.label(relation)}`),
    ...others.map(({ label }) => label),
  ];
}

const kinds: Readonly<Record<string, string>> = { v: 'view', m: 'materialized view' };

/** Returns the existing tables that a TRUNCATE empties, with `cascade` also those that it does not name. */
function emptied(statement: ObservedStatement): RelationState[] {
  const truncating = statement.actions('truncate');
  const named = truncating.flatMap(({ name }) => statement.existing(name) ?? []);
  const others = truncating.some(({ cascade }) => cascade) ? statement.newlyBlocked() : [];
  return [...named, ...others.flatMap((oid) => statement.relation(oid) ?? [])].filter(
    (one, index, all) => all.findIndex(({ oid }) => oid === one.oid) === index,
  );
}

function undeclared(statement: ObservedStatement): Match[] {
  const { loses } = statement.migration;
  const emptying = [
    ...statement.actions('truncate').map(({ name }) => name),
    ...statement.actions('delete').flatMap(({ table, filtered }) => (filtered ? [] : [table])),
  ];
  const emptiedTables = emptying.flatMap((name) => statement.present(name) ?? []);
  const tables = [...statement.droppedRelations('r', 'p'), ...emptiedTables].map(
    ({ schema, name, label, oid }) => ({
      object: `table ${label}`,
      declared: label,
      table: oid,
      names: { schema, table: name, column: null },
    }),
  );
  const columns = statement
    .droppedColumns()
    .filter(({ generated }) => generated === '')
    .flatMap(({ relation, name, quoted }) => {
      const of = statement.relation(relation);
      if (!of || !['r', 'p'].includes(of.kind)) return [];
      return {
        object: `column ${of.label}.${quoted}`,
        declared: `${of.label}.${quoted}`,
        table: relation,
        names: { schema: of.schema, table: of.name, column: name },
      };
    });
  return [...tables, ...columns]
    .filter(({ names }) => !loses.some((one) => isDeclaredBy(one, names)))
    .map(({ object, declared, table }) => ({
      object,
      table,
      safe: `static readonly loses = ['${declared}: …why that is acceptable…'];`,
    }));
}
