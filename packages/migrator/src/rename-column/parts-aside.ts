import { quoted } from '../create/named-objects.ts';
import { quoteText } from '../sql/quote-names.ts';
import type { ColumnPart, ColumnWithParts } from './column-with-parts.ts';
import { shortened } from './sync-triggers.ts';
import { inSchema, tableOf } from './twin.ts';

/** A part of a column that gives its name up to the same part of another column. */
interface PartAside {
  readonly kind: ColumnPart['kind'];
  readonly name: string;
  readonly aside: string;
  readonly rename: { readonly up: string; readonly down: string };
}

/** A column before and after it is renamed. */
interface BothNames {
  readonly before: ColumnWithParts;
  readonly after: ColumnWithParts;
  /** Names that are in use. */
  readonly taken: ReadonlySet<string>;
}

/** Returns the parts whose names the entities use for those of the new column. */
export function partsAside({ before, after, taken }: BothNames): PartAside[] {
  return before.parts.flatMap(({ oid, kind, name }): PartAside[] => {
    if (after.parts.find((one) => one.oid === oid)?.name !== name) return [];
    const aside = freeName(name, taken);
    const renaming = (from: string, to: string): string => {
      if (kind === 'index' || kind === 'statistics')
        return `alter ${kind} ${inSchema(before, from)} rename to ${quoted(to)}`;
      return `alter table ${tableOf(before)} rename constraint ${quoted(from)} to ${quoted(to)}`;
    };
    return [{ kind, name, aside, rename: { up: renaming(name, aside), down: renaming(aside, name) } }];
  });
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let turn = 1; ; turn++) {
    const free = shortened(`replaced${turn === 1 ? '' : turn}_${name}`);
    if (!taken.has(free)) return free;
  }
}

/** Returns the name of a part once the triggers are there. A unique constraint gives its name up later. */
export function inUse({ kind, name }: ColumnPart, aside: readonly PartAside[]): string {
  return (
    (kind === 'unique' ? undefined : aside.find((one) => one.name === name && one.kind === kind)?.aside) ??
    name
  );
}

/** Returns the statements that set the comments of a part, or remove them. */
export function commentsOnPart(
  column: ColumnWithParts,
  part: ColumnPart,
  text: string | null,
  ofIndex: string | null,
): string[] {
  const { kind, name } = part;
  if (kind === 'index' || kind === 'statistics')
    return [`comment on ${kind} ${inSchema(column, name)} is ${valueOf(text)}`];
  return [
    `comment on constraint ${quoted(name)} on ${tableOf(column)} is ${valueOf(text)}`,
    ...(kind === 'unique' ? [`comment on index ${inSchema(column, name)} is ${valueOf(ofIndex)}`] : []),
  ];
}

/** Returns a comment for SQL. */
export function valueOf(comment: string | null): string {
  return comment === null ? 'null' : quoteText(comment);
}
