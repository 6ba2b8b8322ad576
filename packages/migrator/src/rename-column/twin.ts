import { quoted, quotedName, shortName } from '../create/named-objects.ts';
import type { LockedTables } from '../create/file/source.ts';
import { backfill } from '../files/backfill.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { insertConcurrently } from '../safe-forms/insert-concurrently.ts';
import { quoteText } from '../sql/quote-names.ts';
import type { ColumnPart, ColumnWithParts } from './column-with-parts.ts';
import { shortened } from './sync-triggers.ts';

/** The statements that make a column the twin of another one, while rows are written. */
export interface Twin {
  /** Adds the column, NULL in all rows, with its settings. For one transaction with the triggers. */
  readonly column: readonly string[];
  /** What follows the triggers in this transaction: the default, and constraints for the rows that are written from now on. */
  readonly rules: readonly string[];
  /** Texts to send one after the other, each in a transaction where it can be: the fill, the indexes, and what checks all rows. */
  readonly completing: readonly string[];
}

/** What a twin is made of. */
export interface TwinPlan {
  /** The column as it has to be. */
  readonly target: ColumnWithParts;
  /** The column of the same table that has its values. */
  readonly source: string;
  /** The default; it may differ from that of `target`. */
  readonly default: string | null;
  /** Statements by the name of a unique constraint, for the transaction that adds it; its name may be in use before. */
  readonly freeing: ReadonlyMap<string, string>;
}

/** Returns the quoted name of the table of a column. */
export function tableOf({ schema, table }: Pick<ColumnWithParts, 'schema' | 'table'>): string {
  return quotedName({ schema, name: table });
}

/** Returns the tables that a change of a column locks. */
export function tablesLocked({ schema, table, parts }: ColumnWithParts): LockedTables {
  const own = shortName({ schema, name: table });
  const referred = parts.flatMap(({ references }) =>
    references === null || references === own ? [] : [references],
  );
  return { changed: [own], referred: [...new Set(referred)] };
}

/** Returns the statements that make a column the twin of another one. */
export function twinOf({ target, source, default: initial, freeing }: TwinPlan): Twin {
  const table = tableOf(target);
  const column = quoted(target.name);
  const { parts } = target;
  const required = quoted(shortened(`chk_${target.name}_required`));
  const inPlace = parts.filter(({ kind }) => kind === 'check' || kind === 'foreign key');
  const collation = target.collation === null ? '' : ` collate ${target.collation}`;
  return {
    column: [
      `alter table ${table} add column ${column} ${target.type}${collation}`,
      ...target.settings.map((setting) => `alter table ${table} alter column ${column} ${setting}`),
      ...commentOn(`column ${table}.${column}`, target.comment),
      ...target.grants.map(
        ({ privilege, to, option }) =>
          `grant ${privilege} (${column}) on ${table} to ${to}${option ? ' with grant option' : ''}`,
      ),
    ],
    rules: [
      ...(initial === null ? [] : [`alter table ${table} alter column ${column} set default ${initial}`]),
      ...inPlace.flatMap((part) => addNotValid(table, part)),
      ...(target.isRequired
        ? [`alter table ${table} add constraint ${required} check (${column} is not null) not valid`]
        : []),
      ...parts
        .filter(({ kind }) => kind === 'statistics')
        .flatMap((part) => [
          part.definition,
          ...commentOn(`statistics ${inSchema(target, part.name)}`, part.comment),
        ]),
    ],
    completing: [
      fillOf(target, source),
      ...parts.flatMap((part) => indexOf(target, part, freeing)),
      ...inPlace
        .filter(({ isValidated }) => isValidated)
        .map(({ name }) => `alter table ${table} validate constraint ${quoted(name)}`),
      ...(target.isRequired
        ? [
            `alter table ${table} validate constraint ${required}`,
            together([
              // It does not scan, because the constraint is valid.
              `alter table ${table} alter column ${column} set not null`,
              `alter table ${table} drop constraint ${required}`,
            ]),
          ]
        : []),
      ...parts.filter(({ kind }) => kind === 'unique').map((part) => addUnique(target, part, freeing)),
    ],
  };
}

/** Returns statements as one text, which runs in one transaction, indented as in the file of a migration. */
export function together(statements: readonly string[]): string {
  return statements.join(';\n      ');
}

function addNotValid(table: string, { name, definition, isValidated, comment }: ColumnPart): string[] {
  return [
    `alter table ${table} add constraint ${quoted(name)} ${definition}${isValidated ? ' not valid' : ''}`,
    ...commentOn(`constraint ${quoted(name)} on ${table}`, comment),
  ];
}

function fillOf(target: ColumnWithParts, source: string): string {
  const { schema, table, name, key } = target;
  if ([schema, table, ...key].some((one) => one.includes('.')))
    throw new MigrationRefusedError(
      `a name in ${schema}.${table} contains a dot, which backfill() takes for the end of a schema's name`,
    );
  const [column, other] = [quoted(name), quoted(source)];
  return backfill(schema === 'public' ? table : `${schema}.${table}`, {
    by: key,
    set: `${column} = ${other}`,
    // Where a value that was written meanwhile is equal already, nothing is written.
    where: `record_image_ne(row(${column}), row(${other}))`,
  });
}

/** Returns the text that builds an index of a part beside writers; none for a part without one. */
function indexOf(target: ColumnWithParts, part: ColumnPart, freeing: TwinPlan['freeing']): string[] {
  const { kind, name, definition, index, comment } = part;
  if (kind === 'index')
    return [insertConcurrently(definition), ...commentOn(`index ${inSchema(target, name)}`, comment)];
  if (kind !== 'unique' || index === null) return [];
  const built = builtName(part, freeing);
  // The name comes after these words, quoted where it needs it.
  const [, head = '', rest = ''] = /^(CREATE UNIQUE INDEX )(?:"(?:[^"]|"")+"|\S+)(.*)$/s.exec(index) ?? [];
  return [insertConcurrently(`${head}${quoted(built)}${rest}`)];
}

/** Returns the name under which the index of a unique constraint is built: another one while the constraint's is in use. */
function builtName({ name }: ColumnPart, freeing: TwinPlan['freeing']): string {
  return freeing.has(name) ? shortened(`new_${name}`) : name;
}

function addUnique(target: ColumnWithParts, part: ColumnPart, freeing: TwinPlan['freeing']): string {
  const [table, name] = [tableOf(target), quoted(part.name)];
  const freed = freeing.get(part.name);
  return together([
    ...(freed === undefined ? [] : [freed]),
    `alter table ${table} add constraint ${name} unique using index ${quoted(builtName(part, freeing))}${part.deferral}`,
    ...commentOn(`constraint ${name} on ${table}`, part.comment),
    ...commentOn(`index ${inSchema(target, part.name)}`, part.indexComment),
  ]);
}

/** Returns the statement that sets a comment; none for no comment. */
export function commentOn(object: string, comment: string | null): string[] {
  return comment === null ? [] : [`comment on ${object} is ${quoteText(comment)}`];
}

/** Returns the quoted name of an index or statistics object, which is in the schema of its table. */
export function inSchema({ schema }: Pick<ColumnWithParts, 'schema'>, name: string): string {
  return quotedName({ schema, name });
}

/** Returns the silence of the rule of `lint` that advises against a type, which the rename does not choose. */
export function sameType({ name, type }: ColumnWithParts): Readonly<Record<string, string>> {
  return /^json(?:\[\])*$/.test(type) ? { 'json-column': `it has the type of ${name}` } : {};
}
