import type { ScratchSchema } from '../create/contents.ts';
import { quoted, shortName } from '../create/named-objects.ts';
import type { Content } from '../create/file/source.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import { poolSession } from '../session/session.ts';
import { readColumn, type ColumnWithParts } from './column-with-parts.ts';
import { findReplaced, type FoundReplacement } from './replaced-columns.ts';
import { createSync, dropSync } from './sync-triggers.ts';
import { contentOf, requireRestored } from './tried-content.ts';
import { sameType, tableOf, tablesLocked, together, twinOf } from './twin.ts';

/**
 * Returns the migration that drops a column that another one replaces, tried on a scratch database: the second part of a rename without
 * downtime. `name` is that of the column, as `table.column`.
 *
 * @throws MigrationRefusedError when no migration has replaced such a column, or something uses it.
 */
export async function contractContent(scratch: ScratchSchema, name: string): Promise<Content> {
  const { orm } = scratch;
  const found = await find(scratch, name);
  const old = await readColumn(orm, { schema: found.schema, table: found.relation, name: found.column });
  const [obstacle] = old?.obstacles ?? [];
  if (!old || obstacle !== undefined)
    throw new MigrationRefusedError(
      `can't drop column ${name}: ${obstacle ?? 'it is not a column of a table'}`,
    );
  const subject = { what: `drop column ${name}` };
  const content = await contentOf(scratch, describe(old, found), subject);
  await requireRestored(scratch, content, old, subject);
  return content;
}

async function find({ orm }: ScratchSchema, name: string): Promise<FoundReplacement> {
  const all = await findReplaced(poolSession(orm));
  const found = all.find(({ schema, relation, column }) =>
    [`${schema}.${relation}.${column}`, ...(schema === 'public' ? [`${relation}.${column}`] : [])].includes(
      name,
    ),
  );
  if (found) return found;
  const names = all.map(({ table, column }) => `${table}.${column}`);
  const nearest = nearestName(name, names);
  const others = names.length === 0 ? 'no column waits' : `these wait: ${names.join(', ')}`;
  throw new MigrationRefusedError(
    `--contract ${name}: the migrations replace no such column; ` +
      (nearest === null ? others : `did you mean ${nearest}?`),
  );
}

function describe(old: ColumnWithParts, { by, column }: FoundReplacement): Content {
  const label = shortName({ schema: old.schema, name: old.table });
  const table = tableOf(old);
  const twin = twinOf({ target: old, source: by, default: old.default, freeing: new Map() });
  const up = together([...dropSync(old), `alter table ${table} drop column ${quoted(old.name)}`]);
  const down = [
    together([...twin.column, ...createSync({ old, next: by }, old.default), ...twin.rules]),
    ...twin.completing,
  ];
  return {
    summary: `Drops ${label}.${column}, which ${by} replaces`,
    locked: tablesLocked(old),
    declarations: [
      `For a release whose running code does not use ${column}.`,
      `Going back loses nothing: ${column} gets the values of ${by}.`,
    ],
    lint: { 'drop-column': `no running code uses ${column}: ${by} replaces it`, ...sameType(old) },
    declared: { loses: [], refuses: [] },
    apart: true,
    up: { notes: [], statements: [{ sql: up, notes: [] }] },
    down: { notes: [], statements: down.map((sql) => ({ sql, notes: [] })) },
  };
}
