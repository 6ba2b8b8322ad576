import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import type { ScratchSchema } from '../create/contents.ts';
import type { Rename } from '../create/decisions.ts';
import { quoted, quotedName, shortName } from '../create/named-objects.ts';
import { renamedParts } from '../create/renamed-parts.ts';
import { resolveRenames } from '../create/resolve-renames.ts';
import type { Content } from '../create/file/source.ts';
import { describedCatalog } from '../entities/described-catalog.ts';
import { quoteDefaults } from '../entities/quote-defaults.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import { markOfPart, markOfReplaced, replacedMark } from '../sql/marks/replaced-mark.ts';
import { readColumn, type ColumnWithParts } from './column-with-parts.ts';
import { commentsOnPart, inUse, partsAside, valueOf } from './parts-aside.ts';
import { createSync, dropSync } from './sync-triggers.ts';
import { contentOf, requireSame } from './tried-content.ts';
import { commentOn, sameType, tableOf, tablesLocked, together, twinOf } from './twin.ts';

/** A column before and after it is renamed, with the schema that the rename leaves. */
interface Renamed {
  readonly before: ColumnWithParts;
  readonly after: ColumnWithParts;
  readonly catalog: Catalog;
  /** The names of all parts, also of those that wait to be dropped with another column. */
  readonly taken: ReadonlySet<string>;
}

/**
 * Returns the migration that adds a column under another name beside the one of the migrations, tried on a scratch database: the first part of a
 * rename without downtime.
 *
 * @throws MigrationRefusedError when the rename is impossible, or can't be done in two parts.
 */
export async function expandContent(scratch: ScratchSchema, rename: Rename): Promise<Content> {
  const { orm } = scratch;
  await quoteDefaults(orm);
  const found = await renamed(scratch, rename);
  const subject = { what: `rename column ${rename.from} to ${rename.to} in two parts` };
  const content = await contentOf(scratch, describe(found), subject);
  await requireSame(scratch, found.catalog, subject);
  return content;
}

async function renamed({ orm, schema, ignored }: ScratchSchema, rename: Rename): Promise<Renamed> {
  const refuse = (why: string): never => {
    throw new MigrationRefusedError(`can't rename column ${rename.from} to ${rename.to}: ${why}`);
  };
  const read = async (): Promise<Catalog> => ignored.without(await readCatalog(orm, schema));
  const [made, described] = [await read(), await describedCatalog(orm, schema)];
  const [column] = resolveRenames(made, described, [rename]).columns;
  if (!column) return refuse(`${rename.from} is a table: name a column, as table.column`);
  const { table, from, to } = column;
  if (!made.has(table.key)) refuse(`its table moves to ${shortName(table)}: create that migration first`);
  const names = { schema: table.schema, table: table.name };
  const before = (await readColumn(orm, { ...names, name: from })) ?? refuse('it is not a column of a table');
  const [obstacle] = before.obstacles;
  if (obstacle !== undefined)
    refuse(
      `${obstacle}; --rename ${rename.from}:${rename.to} renames it at once, for a time when no code runs`,
    );
  const renaming = {
    up: `alter table ${quotedName(table)} rename column ${quoted(from)} to ${quoted(to)}`,
    down: `alter table ${quotedName(table)} rename column ${quoted(to)} to ${quoted(from)}`,
  };
  await run(orm, [renaming.up]);
  const own = before.parts.map(({ name }) => quoted(name));
  const renames = renamedParts(await read(), described, new Set([table.key])).filter(({ up }) =>
    own.some((name) => up.includes(` ${name} to `) || up.includes(`${name} rename to `)),
  );
  await run(
    orm,
    renames.map(({ up }) => up),
  );
  const after = (await readColumn(orm, { ...names, name: to })) ?? refuse('the scratch database changed');
  const catalog = await read();
  await run(orm, [...renames.toReversed().map(({ down }) => down), renaming.down]);
  return {
    before: withoutReplaced(before),
    after: withoutReplaced(after),
    catalog,
    taken: new Set(before.parts.map((part) => part.name)),
  };
}

/** Returns a column without what waits to be dropped with another one. */
function withoutReplaced(column: ColumnWithParts): ColumnWithParts {
  const parts = column.parts.filter(({ comment }) => comment?.startsWith(replacedMark) !== true);
  return { ...column, parts };
}

async function run(orm: MikroORM, statements: readonly string[]): Promise<void> {
  await inTransaction(orm, async (session) => {
    for (const sql of statements) await session.query(sql);
  });
}

function describe({ before, after, taken }: Renamed): Content {
  const table = tableOf(before);
  const [old, next] = [quoted(before.name), quoted(after.name)];
  const aside = partsAside({ before, after, taken });
  const twin = twinOf({
    target: after,
    source: before.name,
    default: after.default,
    freeing: new Map(
      aside.filter(({ kind }) => kind === 'unique').map(({ name, rename: { up } }) => [name, up]),
    ),
  });
  const mark = markOfPart(before.name);
  // Where each row has another default, that of the new column is the one that counts.
  const moved = before.isVolatile && before.default !== null;
  const up = [
    together([
      ...twin.column,
      ...createSync({ old: before, next: after.name }, moved ? null : before.default),
      ...(moved ? [`alter table ${table} alter column ${old} drop default`] : []),
      ...aside.filter(({ kind }) => kind !== 'unique').map(({ rename }) => rename.up),
      ...before.parts.flatMap((part) =>
        commentsOnPart(before, { ...part, name: inUse(part, aside) }, mark, mark),
      ),
      ...commentOn(`column ${table}.${old}`, markOfReplaced(after.name)),
      ...twin.rules,
    ]),
    ...twin.completing,
    ...recomputed(after),
  ];
  const down = together([
    ...recomputed(before),
    ...dropSync(before),
    `alter table ${table} drop column ${next}`,
    ...(moved ? [`alter table ${table} alter column ${old} set default ${before.default}`] : []),
    ...aside.map(({ rename }) => rename.down),
    ...before.parts.flatMap((part) => commentsOnPart(before, part, part.comment, part.indexComment)),
    `comment on column ${table}.${old} is ${valueOf(before.comment)}`,
  ]);
  const label = shortName({ schema: before.schema, name: before.table });
  return {
    summary: `Adds ${label}.${after.name}, which replaces ${before.name}: triggers keep both equal, so that code may use either`,
    locked: tablesLocked(before),
    declarations: [
      `Going back loses nothing: ${before.name} has the same values.`,
      `Once no running code uses ${label}.${before.name}: create NAME --contract ${label}.${before.name}`,
    ],
    lint: {
      'undeclared-loss': `${before.name} has the values of ${after.name}`,
      ...sameType(before),
      ...(after.computed.some(({ isStored }) => isStored)
        ? { 'blocking-work': 'PostgreSQL computes a stored column anew when its expression changes' }
        : {}),
    },
    declared: { loses: [], refuses: [] },
    apart: true,
    up: { notes: notesOf(after), statements: up.map((sql) => ({ sql, notes: [] })) },
    down: { notes: notesOf(before), statements: [{ sql: down, notes: [] }] },
  };
}

/** Returns the statements that compute other columns from this one. */
function recomputed(column: ColumnWithParts): string[] {
  return column.computed.map(
    ({ name, expression }) =>
      `alter table ${tableOf(column)} alter column ${quoted(name)} set expression as (${expression})`,
  );
}

function notesOf({ computed, table }: ColumnWithParts): string[] {
  return computed
    .filter(({ isStored }) => isStored)
    .map(
      ({ name }) =>
        `computes ${table}.${name} anew, while reads and writes of ${table} wait: choose a quiet time if the table is large`,
    );
}
