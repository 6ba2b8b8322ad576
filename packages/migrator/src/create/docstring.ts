import type { Direction } from '../files/code-migration.ts';
import type { SchemaDifference } from './difference.ts';
import type { LockedTables } from './file/source.ts';
import { joinNames } from './file/join-names.ts';
import type { TypeChange } from './type-changes.ts';
import { lostColumns, short } from './warnings.ts';

/** Returns the tables and columns that a difference drops. */
export function lossesOf(difference: SchemaDifference): string[] {
  return [
    ...Object.values(difference.removedTables).map(({ name }) => `the rows of ${name}`),
    ...Object.values(difference.changedTables).flatMap((table) =>
      lostColumns(table).map(({ name }) => `what ${table.name}.${name} holds`),
    ),
  ];
}

/** Returns what a migration loses, refuses and changes, as sentences. */
export function declarationsOf(
  losses: Readonly<Record<Direction, readonly string[]>>,
  types: Readonly<Record<Direction, readonly TypeChange[]>>,
): string[] {
  const refused = (direction: Direction) =>
    types[direction]
      .filter(({ values }) => values === 'refused')
      .map(({ name, to }) => `${name} would change as ${to}`);
  const changed = types.up
    .filter(({ values }) => values === 'changed')
    .map(({ name }) => `what ${name} holds`);
  return [
    ...(refused('up').length === 0 ? [] : [`Going up refuses rows whose ${joinNames(refused('up'))}.`]),
    ...(changed.length === 0
      ? []
      : [`Going up changes ${joinNames(changed)}, where it doesn't fit the type.`]),
    ...(losses.up.length === 0 ? [] : [`Going up loses ${joinNames(losses.up)}.`]),
    losses.down.length === 0 ? 'Going back loses nothing' : `Going back loses ${joinNames(losses.down)}`,
  ]
    .map((line) =>
      line.startsWith('Going back') && changed.length + losses.up.length > 0
        ? `${line}${losses.down.length === 0 ? ' more' : ''}, and does not restore what going up lost.`
        : line.endsWith('.')
          ? line
          : `${line}.`,
    )
    .concat(
      refused('down').length === 0 ? [] : [`Going back refuses rows whose ${joinNames(refused('down'))}.`],
    );
}

/** Returns the tables that a difference locks. `recomputed` are those with a generated column that the difference does not contain. */
export function lockedTables(
  { changedTables, newTables, removedTables }: SchemaDifference,
  renamed: ReadonlyMap<string, string>,
  recomputed: readonly string[],
): LockedTables {
  const made = Object.values(newTables);
  // By their names before.
  const changed = [
    ...new Set([
      ...renamed.values(),
      ...[...Object.values(changedTables).map(({ name }) => name), ...recomputed].map(
        (name) => renamed.get(short(name)) ?? short(name),
      ),
      ...Object.values(removedTables).map((table) => table.getShortestName()),
    ]),
  ];
  const known = new Set([...changed, ...renamed.keys(), ...made.map((table) => table.getShortestName())]);
  const referred = made
    .flatMap((table) => Object.values(table.getForeignKeys()))
    .map(({ referencedTableName }) => short(referencedTableName));
  return { changed, referred: [...new Set(referred)].filter((name) => !known.has(name)) };
}

/** Returns what a difference does to tables, as a sentence without its end; a difference of none is one of other objects. */
export function summaryOf(
  { newTables, changedTables, removedTables }: SchemaDifference,
  renamed: readonly string[],
  recomputed: readonly string[],
): string {
  const changed = new Set([...Object.values(changedTables).map(({ name }) => name), ...recomputed]);
  const parts = [
    ['creates', Object.values(newTables).map((table) => table.getShortestName())],
    ['changes', [...changed]],
    ['drops', Object.values(removedTables).map(({ name }) => name)],
  ] as const;
  const done = parts.flatMap(([verb, names]) => (names.length === 0 ? [] : [`${verb} ${joinNames(names)}`]));
  if (renamed.length > 0) done.unshift(`renames ${joinNames(renamed)}`);
  const text = done.length === 0 ? 'changes objects that are no tables' : done.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
