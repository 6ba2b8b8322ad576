import type { Catalog } from '../catalog/catalog.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import type { SchemaDifference } from './difference.ts';
import { baseType, columnTypes, namedObjects, shortName } from './named-objects.ts';

/** A table or column that entities don't describe any more: it was renamed, or is to be dropped. */
export interface UndecidedDrop {
  /** Its name in the migrations. */
  readonly name: string;
  readonly kind: 'table' | 'column';
  /** Names in the entities that the migrations lack, of the same kind and type. */
  readonly candidates: readonly string[];
}

const stays = '\nIf a table stays without an entity, add it to the option `ignore`, such as "public.audit".';

/** Thrown when a migration would drop values, and `renames` and `drops` don't say which ones. */
export class UndecidedDropsError extends MigrationRefusedError {
  readonly undecided: readonly UndecidedDrop[];

  constructor(undecided: readonly UndecidedDrop[]) {
    super(
      `no entity describes these any more, and a migration would drop their values; choose for each:\n${undecided
        .map(
          ({ name, candidates }) =>
            `  ${[...candidates.map((to) => `--rename ${name}:${to}`), `--drop ${name}`].join(' or ')}`,
        )
        .join('\n')}${undecided.some(({ kind }) => kind === 'table') ? stays : ''}`,
    );
    this.undecided = undecided;
  }
}

/**
 * Requires that everything with values that a difference drops is listed in `drops`.
 *
 * @throws UndecidedDropsError for what is not.
 */
export function requireDecisions(
  difference: SchemaDifference,
  {
    made,
    described,
    drops,
  }: { readonly made: Catalog; readonly described: Catalog; readonly drops: ReadonlySet<string> },
): void {
  const newTables = Object.values(difference.newTables).map((table) => shortName(table));
  const undecided = [
    ...Object.values(difference.removedTables).map((table): UndecidedDrop => ({
      name: shortName(table),
      kind: 'table',
      candidates: newTables,
    })),
    ...droppedColumns(difference, typesOf(made), typesOf(described)),
  ].filter(({ name }) => !drops.has(name));
  if (undecided.length > 0) throw new UndecidedDropsError(undecided);
}

function droppedColumns(
  { changedTables }: SchemaDifference,
  made: ReadonlyMap<string, string>,
  described: ReadonlyMap<string, string>,
): UndecidedDrop[] {
  return Object.values(changedTables).flatMap(({ fromTable, removedColumns, addedColumns }) =>
    Object.values(removedColumns)
      // The values of a generated column can be computed again.
      .filter(({ name, generated }) => !generated && addedColumns[name] === undefined)
      .map((column): UndecidedDrop => {
        const table = shortName(fromTable);
        const type = made.get(`${table}.${column.name}`);
        const candidates = Object.values(addedColumns)
          .filter((added) => !added.generated && described.get(`${table}.${added.name}`) === type)
          .map(({ name }) => name);
        return { name: `${table}.${column.name}`, kind: 'column', candidates };
      }),
  );
}

/** Returns the types of all columns, without lengths, by names such as `books.title`. */
function typesOf(catalog: Catalog): Map<string, string> {
  return new Map(
    namedObjects(catalog).flatMap((table) =>
      [...columnTypes(table)].map(([column, type]): [string, string] => [
        `${shortName(table)}.${column}`,
        baseType(type),
      ]),
    ),
  );
}

/** @throws MigrationRefusedError for a name that was given with an option and that nothing has. */
export function refuseUnused(
  option: '--drop' | '--lossy',
  given: Iterable<string>,
  possible: readonly string[],
  what: string,
): void {
  for (const name of given) {
    if (possible.includes(name)) continue;
    const nearest = nearestName(name, possible);
    throw new MigrationRefusedError(
      `${option} ${name}: ${what}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
    );
  }
}
