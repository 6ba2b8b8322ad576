import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { describedCatalog } from '../entities/described-catalog.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import type { Rename } from './decisions.ts';
import {
  baseType,
  columnTypes,
  namedObjects,
  quoted,
  quotedName,
  shortName,
  type NamedObject,
} from './named-objects.ts';
import { renamedParts } from './renamed-parts.ts';
import type { ReversibleStatement } from './reversible-statement.ts';
import { resolveRenames, type ResolvedRenames } from './resolve-renames.ts';

/** What was renamed in the scratch database. */
export interface AppliedRenames {
  readonly statements: readonly ReversibleStatement[];
  /** Tables that were moved to another schema, without being named in `renames`. */
  readonly moves: readonly { readonly from: string; readonly to: string }[];
  /** Tables that a rename or move locks, by their names afterwards, with those before. */
  readonly locked: ReadonlyMap<string, string>;
  /** The schema of the migrations, with the new names. */
  readonly made: Catalog;
  /** The schema of the entities. */
  readonly described: Catalog;
}

/**
 * Renames in the scratch database, which has the schema of the migrations, what `renames` names, and moves tables of the same name and
 * columns to the schema where the entities expect them. Indexes, constraints, sequences, native enums and the functions of the ORM's
 * triggers get the names of the entities.
 *
 * @throws MigrationRefusedError for a rename that is impossible.
 */
export async function applyRenames(
  orm: MikroORM,
  {
    schema,
    ignored,
    renames,
  }: { readonly schema: string; readonly ignored: IgnoredObjects; readonly renames: readonly Rename[] },
): Promise<AppliedRenames> {
  const read = async () => ignored.without(await readCatalog(orm, schema));
  const made = await read();
  const described = ignored.without(await describedCatalog(orm, schema));
  const resolved = resolveRenames(made, described, renames);
  const moved = movedObjects(made, described, resolved);
  const objects = [...resolved.objects, ...moved];
  refuseStranded(made, described, objects);
  const first = [
    ...missingSchemas(made, objects),
    ...objects.flatMap((one) => renameObject(one)),
    ...resolved.columns.map(({ table, from, to }) => renameColumn(table, from, to)),
    ...objects.flatMap((one) => triggerFunctions(made, one)),
  ];
  if (first.length === 0) return { statements: [], moves: [], locked: new Map(), made, described };
  await run(orm, first);
  const tables = new Set([
    ...objects.map(({ to }) => to.key),
    ...resolved.columns.map(({ table }) => table.key),
  ]);
  const parts = renamedParts(await read(), described, tables);
  await run(orm, parts);
  const moves = moved
    .filter(({ from }) => from.kind === 'table')
    .map(({ from, to }) => ({ from: shortName(from), to: shortName(to) }));
  const locked = new Map([
    ...resolved.columns.map(({ table }): [string, string] => [shortName(table), shortName(table)]),
    ...objects
      .filter(({ to }) => to.kind === 'table')
      .map(({ from, to }): [string, string] => [shortName(to), shortName(from)]),
  ]);
  return { statements: [...first, ...parts], moves, locked, made: await read(), described };
}

/** Undoes renames in the scratch database. */
export function revertRenames(orm: MikroORM, statements: readonly ReversibleStatement[]): Promise<void> {
  return inTransaction(orm, async (session) => {
    for (const { down } of statements.toReversed()) await session.query(down);
  });
}

async function run(orm: MikroORM, statements: readonly ReversibleStatement[]): Promise<void> {
  await inTransaction(orm, async (session) => {
    for (const { up } of statements) {
      await session.query(up).catch((cause: unknown) => {
        throw new MigrationRefusedError(`the rename fails even without rows, at "${up}"`, { cause });
      });
    }
  });
}

/** Returns the tables and native enums that the entities expect in another schema, and that differ in nothing else. */
function movedObjects(
  made: Catalog,
  described: Catalog,
  { objects }: ResolvedRenames,
): { readonly from: NamedObject; readonly to: NamedObject }[] {
  const old = namedObjects(made).filter(
    ({ key }) => !described.has(key) && !objects.some(({ from }) => from.key === key),
  );
  const next = namedObjects(described).filter(
    ({ key }) => !made.has(key) && !objects.some(({ to }) => to.key === key),
  );
  return next.flatMap((to) => {
    const sources = old.filter((from) => isSame(from, to));
    const [from] = sources;
    return from && sources.length === 1 && next.filter((other) => isSame(from, other)).length === 1
      ? [{ from, to }]
      : [];
  });
}

/** @throws MigrationRefusedError for a table that looks like one of the entities in another schema, but has other columns. */
function refuseStranded(
  made: Catalog,
  described: Catalog,
  moved: readonly { readonly from: NamedObject; readonly to: NamedObject }[],
): void {
  const isNew = ({ key, kind }: NamedObject) =>
    kind === 'table' && !made.has(key) && !moved.some(({ to }) => to.key === key);
  for (const to of namedObjects(described).filter(isNew)) {
    const from = namedObjects(made).find(
      (one) =>
        one.kind === 'table' &&
        one.name === to.name &&
        !described.has(one.key) &&
        !moved.some((other) => other.from.key === one.key) &&
        (isSubset(one.object.columns, to.object.columns) || isSubset(to.object.columns, one.object.columns)),
    );
    if (!from) continue;
    const [old, next] = [shortName(from), shortName(to)];
    throw new MigrationRefusedError(
      `${next} may be ${old} in another schema, with other columns: --rename ${old}:${next} keeps its rows; if it is another table, add ` +
        `'${from.schema}.${from.name}' to the option \`ignore\``,
    );
  }
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one) => all.includes(one));
}

function isSame(from: NamedObject, to: NamedObject): boolean {
  if (from.kind !== to.kind || from.name !== to.name) return false;
  return from.kind === 'type'
    ? from.object.facts['values'] !== undefined && from.object.facts['values'] === to.object.facts['values']
    : columnsOf(from) === columnsOf(to);
}

// A native enum may move with its table.
function columnsOf(table: NamedObject): string {
  const columns = [...columnTypes(table)].map(([name, type]) => [name, baseType(type).replace(/^.*\./, '')]);
  return JSON.stringify(columns.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)));
}

function missingSchemas(
  made: Catalog,
  objects: readonly { readonly to: NamedObject }[],
): ReversibleStatement[] {
  const existing = new Set(['public', ...namedObjects(made).map(({ schema }) => schema)]);
  const names = new Set(objects.map(({ to }) => to.schema).filter((name) => !existing.has(name)));
  return [...names]
    .filter((name) => !made.has(`schema ${name}`) && !made.has(`schema ${quoted(name)}`))
    .map((name) => ({ up: `create schema ${quoted(name)}`, down: `drop schema ${quoted(name)}` }));
}

function renameObject({
  from,
  to,
}: {
  readonly from: NamedObject;
  readonly to: NamedObject;
}): ReversibleStatement[] {
  const between = { schema: to.schema, name: from.name };
  return [
    ...(from.schema === to.schema
      ? []
      : [
          {
            up: `alter ${from.kind} ${quotedName(from)} set schema ${quoted(to.schema)}`,
            down: `alter ${from.kind} ${quotedName(between)} set schema ${quoted(from.schema)}`,
          },
        ]),
    ...(from.name === to.name
      ? []
      : [
          {
            up: `alter ${from.kind} ${quotedName(between)} rename to ${quoted(to.name)}`,
            down: `alter ${from.kind} ${quotedName(to)} rename to ${quoted(from.name)}`,
          },
        ]),
  ];
}

function renameColumn(table: NamedObject, from: string, to: string): ReversibleStatement {
  const statement = (a: string, b: string) =>
    `alter table ${quotedName(table)} rename column ${quoted(a)} to ${quoted(b)}`;
  return { up: statement(from, to), down: statement(to, from) };
}

/** Moves the functions of the ORM's triggers, which it finds by the names of table and trigger. */
function triggerFunctions(
  made: Catalog,
  { from, to }: { readonly from: NamedObject; readonly to: NamedObject },
): ReversibleStatement[] {
  if (from.kind !== 'table') return [];
  const functions = new Set(
    [...made.keys()]
      .flatMap((key) => {
        const [, name] = /^function (.*)\(\)$/s.exec(key) ?? [];
        return name === undefined ? [] : [name];
      })
      .map(unquoted),
  );
  return [...from.object.parts.keys()].flatMap((part) => {
    const [, trigger] = /^trigger (.*)$/s.exec(part) ?? [];
    if (trigger === undefined) return [];
    const [name, next] = [from, to].map((table) => `${table.name}_${unquoted(trigger)}_fn`);
    if (name === undefined || next === undefined || !functions.has(shortName({ schema: from.schema, name })))
      return [];
    const [old, between, last] = [
      { schema: from.schema, name },
      { schema: to.schema, name },
      { schema: to.schema, name: next },
    ];
    return [
      ...(from.schema === to.schema
        ? []
        : [
            {
              up: `alter function ${quotedName(old)}() set schema ${quoted(to.schema)}`,
              down: `alter function ${quotedName(between)}() set schema ${quoted(from.schema)}`,
            },
          ]),
      ...(name === next
        ? []
        : [
            {
              up: `alter function ${quotedName(between)}() rename to ${quoted(next)}`,
              down: `alter function ${quotedName(last)}() rename to ${quoted(name)}`,
            },
          ]),
    ];
  });
}

function unquoted(name: string): string {
  return name.replaceAll(/"((?:[^"]|"")*)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}
