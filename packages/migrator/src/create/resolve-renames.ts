import type { Catalog } from '../catalog/catalog.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import type { Rename } from './decisions.ts';
import { baseType, columnTypes, namedObjects, quoted, shortName, type NamedObject } from './named-objects.ts';

/** Renames that are possible. */
export interface ResolvedRenames {
  readonly objects: readonly { readonly from: NamedObject; readonly to: NamedObject }[];
  readonly columns: readonly {
    /** The table as the entities name it. */
    readonly table: NamedObject;
    readonly from: string;
    readonly to: string;
  }[];
}

/**
 * Finds what renames name: `from` in the catalog of the migrations, `to` in that of the entities.
 *
 * @throws MigrationRefusedError for one that is impossible: an unknown name, one that is in use, given twice, or of another type.
 */
export function resolveRenames(
  made: Catalog,
  described: Catalog,
  renames: readonly Rename[],
): ResolvedRenames {
  refuseRepeated(renames);
  const [old, next] = [namedObjects(made), namedObjects(described)];
  const objects: { from: NamedObject; to: NamedObject }[] = [];
  const ofColumns: { rename: Rename; table: NamedObject; column: string }[] = [];
  for (const rename of renames) {
    const from = find(old, rename.from) ?? refuseUnknown(rename, rename.from, old, 'migrations make');
    if (from.column !== null) {
      ofColumns.push({ rename, table: from.object, column: from.column });
      continue;
    }
    const to = find(next, rename.to) ?? refuseUnknown(rename, rename.to, next, 'entities describe');
    if (to.column !== null || to.object.kind !== from.object.kind) {
      refuse(rename, `${rename.from} is a ${from.object.kind}, ${rename.to} is not`);
    }
    refuseInUse(
      rename,
      next.some(({ key }) => key === from.object.key),
      old.some(({ key }) => key === to.object.key),
    );
    if (from.object.kind === 'table' && !haveCommonColumn(from.object, to.object)) {
      refuse(rename, 'they have no column in common');
    }
    objects.push({ from: from.object, to: to.object });
  }
  const columns = ofColumns.map(({ rename, table, column }) => {
    const key =
      objects.find(({ from }) => from.key === table.key)?.to.key ?? movedKey(table, old, next) ?? table.key;
    const target =
      next.find((one) => one.key === key) ??
      refuse(
        rename,
        `entities describe no table ${shortName(table)}: rename it too, --rename ${shortName(table)}:NAME`,
      );
    return resolveColumn(rename, { table, column }, { table: target, next, objects });
  });
  return { objects, columns };
}

/** Returns the key of the table of the same name in another schema, if it is the only one. */
function movedKey(
  table: NamedObject,
  old: readonly NamedObject[],
  next: readonly NamedObject[],
): string | undefined {
  if (next.some(({ key }) => key === table.key)) return undefined;
  const found = next.filter(
    (one) => one.kind === 'table' && one.name === table.name && !old.some(({ key }) => key === one.key),
  );
  return found.length === 1 ? found[0]?.key : undefined;
}

function resolveColumn(
  rename: Rename,
  from: { readonly table: NamedObject; readonly column: string },
  {
    table: target,
    next,
    objects,
  }: {
    /** As the entities name it. */
    readonly table: NamedObject;
    readonly next: readonly NamedObject[];
    readonly objects: ResolvedRenames['objects'];
  },
): ResolvedRenames['columns'][number] {
  const types = columnTypes(target);
  const found = find(next, rename.to);
  const to = types.has(rename.to) ? rename.to : found?.object.key === target.key ? found.column : null;
  if (to === null) {
    if (found) refuse(rename, `a column can only be renamed within its table, which is ${shortName(target)}`);
    return refuseUnknown(rename, rename.to, [target], 'entities describe');
  }
  refuseInUse(rename, types.has(from.column), from.table.object.columns.includes(to));
  const [oldType = '', newType = ''] = [columnTypes(from.table).get(from.column), types.get(to)];
  // A native enum may move to another schema with its table, or be renamed too.
  const [plain = '', other = ''] = [oldType, newType].map((type) => baseType(type).replace(/^.*\./, ''));
  const isRenamed = objects.some(
    ({ from: { kind, name }, to: { name: now } }) =>
      kind === 'type' &&
      ['', '[]'].some((array) => plain === printed(name) + array && other === printed(now) + array),
  );
  if (plain !== other && !isRenamed) {
    refuse(
      rename,
      `it changes from ${oldType} to ${newType}: rename it with its type, and change that in another migration`,
    );
  }
  return { table: target, from: from.column, to };
}

// As PostgreSQL prints it in a type.
function printed(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoted(name);
}

function find(
  objects: readonly NamedObject[],
  name: string,
): { readonly object: NamedObject; readonly column: string | null } | undefined {
  for (const object of objects) {
    for (const own of [shortName(object), `${object.schema}.${object.name}`]) {
      if (name === own) return { object, column: null };
      const column = object.object.columns.find((one) => name === `${own}.${one}`);
      if (column !== undefined) return { object, column };
    }
  }
  return undefined;
}

function haveCommonColumn(one: NamedObject, other: NamedObject): boolean {
  return one.object.columns.some((name) => other.object.columns.includes(name));
}

function refuseRepeated(renames: readonly Rename[]): void {
  for (const [index, rename] of renames.entries()) {
    const { from, to } = rename;
    if (from === to || from.endsWith(`.${to}`)) refuse(rename, 'both names are the same');
    const earlier = renames.slice(0, index);
    if (earlier.some((one) => one.from === from)) refuse(rename, `${from} is renamed twice`);
    if (earlier.some((one) => one.to === to && tableOf(one.from) === tableOf(from)))
      refuse(rename, `two are renamed to ${to}`);
  }
}

function tableOf(name: string): string {
  return name.split('.').slice(0, -1).join('.');
}

function refuseInUse(rename: Rename, isDescribed: boolean, exists: boolean): void {
  if (isDescribed) refuse(rename, `entities still describe ${rename.from}`);
  if (exists) refuse(rename, `${rename.to} exists already`);
}

function refuseUnknown(rename: Rename, name: string, objects: readonly NamedObject[], where: string): never {
  const names = objects.flatMap((one) => [
    shortName(one),
    ...one.object.columns.map((column) => `${shortName(one)}.${column}`),
  ]);
  const nearest = nearestName(name, names);
  refuse(rename, `${where} no ${name}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
}

function refuse({ from, to }: Rename, why: string): never {
  throw new MigrationRefusedError(`can't rename ${from} to ${to}: ${why}`);
}
