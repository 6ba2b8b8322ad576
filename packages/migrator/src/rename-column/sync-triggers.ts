import { createHash } from 'node:crypto';
import { quoted, quotedName } from '../create/named-objects.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { markOfPart } from '../sql/marks/replaced-mark.ts';
import { quoteText } from '../sql/quote-names.ts';
import type { ColumnWithParts } from './column-with-parts.ts';

/** A column, and the one that replaces it. */
export interface Replacement {
  readonly old: ColumnWithParts;
  readonly next: string;
}

type Kind = 'named' | 'first' | 'last';

/** Returns the names of the triggers, which fire in their order: two before all others, so that these see both columns equal, and one after them. */
function triggerNames({ name }: ColumnWithParts): Readonly<Record<Kind, string>> {
  const of = (prefix: string): string => shortened(`${prefix}keep_${name}_equal`);
  return { named: of('00_'), first: of('01_'), last: of('~') };
}

/**
 * Returns statements that create the triggers that keep two columns of a table equal, whichever of them a statement writes, and their
 * function. Where `initial` is the default of the old column, an INSERT without a value for it takes that of the new one.
 */
export function createSync({ old, next }: Replacement, initial: string | null): string[] {
  const table = quotedName({ schema: old.schema, name: old.table });
  const [o, n] = [quoted(old.name), quoted(next)];
  const name = functionName(old);
  const names = triggerNames(old);
  const trigger = (kind: Kind, events: string, condition: string | null): string =>
    `create trigger ${quoted(names[kind])} before ${events} on ${table} for each row` +
    `${condition === null ? '' : ` when (${condition})`} execute function ${name}('${kind}')`;
  const mark = quoteText(markOfPart(old.name));
  return [
    `create function ${name}() returns trigger language plpgsql as ${bodyOf(old, next, initial)}`,
    `comment on function ${name}() is ${mark}`,
    trigger('named', `update of ${n}`, `record_image_ne(row(old.${o}), row(old.${n}))`),
    trigger('first', 'insert or update', null),
    trigger('last', 'insert or update', `record_image_ne(row(new.${o}), row(new.${n}))`),
    ...Object.values(names).map((one) => `comment on trigger ${quoted(one)} on ${table} is ${mark}`),
  ];
}

/** Returns statements that drop what `createSync` creates. */
export function dropSync(old: ColumnWithParts): string[] {
  const table = quotedName({ schema: old.schema, name: old.table });
  return [
    ...Object.values(triggerNames(old)).map((one) => `drop trigger ${quoted(one)} on ${table}`),
    `drop function ${functionName(old)}()`,
  ];
}

function functionName({ schema, table, name }: ColumnWithParts): string {
  return quotedName({ schema, name: shortened(`keep_${table}_${name}_equal`) });
}

/** Returns a name of at most 63 bytes, which another name of this form does not get. */
export function shortened(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${Buffer.from(name)
    .subarray(0, 54)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}_${digest}`;
}

const delimiter = '$keep_equal$';

// An added column is NULL in the rows that were there, so that a row is filled if both columns are equal. record_image_eq compares values
// of any type, and takes NULLs for equal.
function bodyOf(old: ColumnWithParts, next: string, initial: string | null): string {
  const [o, n] = [quoted(old.name), quoted(next)];
  const body = `
declare
  initial ${old.type};
  filled ${old.type};
  given record;
begin
  if tg_op = 'INSERT' then
    initial := ${initial ?? 'null'};
    -- What is not the default was given.
    if tg_argv[0] = 'last' or record_image_ne(row(new.${o}), row(initial)) then
      new.${n} := new.${o};
    else
      new.${o} := new.${n};
    end if;
    return new;
  end if;
  if tg_argv[0] = 'named' then
    -- A statement that sets NULL in a row that is not filled means it.
    if new.${n} is not distinct from null and record_image_eq(row(new.${o}), row(old.${o})) then
      new.${o} := null;
    end if;
    return new;
  end if;
  filled := case when old.${n} is not distinct from null then old.${o} else old.${n} end;
  if tg_argv[0] = 'last' then
    if record_image_eq(row(new.${o}), row(old.${o})) and record_image_eq(row(new.${n}), row(old.${n})) then
      -- Nothing but the fill: what other triggers set, such as a version, stays.
      new := old;
    elsif record_image_eq(row(new.${o}), row(old.${o})) then
      filled := new.${n};
    else
      filled := new.${o};
    end if;
    new.${o} := filled;
    new.${n} := filled;
    return new;
  end if;
  if record_image_ne(row(old.${o}), row(old.${n})) then
    given := new;
    given.${o} := old.${o};
    given.${n} := old.${n};${old.generated.map((one) => `\n    given.${quoted(one)} := old.${quoted(one)};`).join('')}
    if record_image_eq(given, old)
      and (record_image_eq(row(new.${o}), row(old.${o})) or record_image_eq(row(new.${o}), row(filled)))
      and (record_image_eq(row(new.${n}), row(old.${n})) or record_image_eq(row(new.${n}), row(filled))) then
      -- A fill changes no value: other triggers see the row as it was, and the last one fills it.
      new.${o} := old.${o};
      new.${n} := old.${n};
      return new;
    end if;
    if record_image_ne(row(new.${o}), row(new.${n})) then
      if old.${n} is not distinct from null and new.${n} is not distinct from null then new.${n} := filled; end if;
      if old.${o} is not distinct from null and new.${o} is not distinct from null then new.${o} := filled; end if;
    end if;
  end if;
  if record_image_ne(row(new.${o}), row(new.${n})) then
    if record_image_ne(row(new.${n}), row(filled)) then
      new.${o} := new.${n};
    else
      new.${n} := new.${o};
    end if;
  end if;
  return new;
end
`;
  if (body.includes(delimiter))
    throw new MigrationRefusedError(`the name or default of ${old.table}.${old.name} contains ${delimiter}`);
  // As in the file of a migration.
  return `${delimiter}${body.replaceAll('\n', '\n      ')}${delimiter}`;
}
