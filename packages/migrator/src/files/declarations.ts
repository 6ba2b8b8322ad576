import { isNativeError } from 'node:util/types';
import type { Migration } from '@mikro-orm/migrations';
import { MigrationRefusedError } from '../session/errors.ts';
import { reasonIn } from './reason-in.ts';

/** What a migration declares of one table or column: `orders.note: the notes are archived`. */
export interface Declaration {
  /** The name's parts, unquoted: of a table or of a column, each with or without its schema. */
  readonly parts: readonly string[];
  /** The entry as the migration has it. */
  readonly text: string;
  readonly reason: string;
}

/** What a migration declares in static properties of its class. */
export interface Declarations {
  /** `static loses`: what `up` or `down` loses. */
  readonly loses: readonly Declaration[];
  /** `static refuses`: whose rows `up` or `down` refuses. */
  readonly refuses: readonly Declaration[];
  /** `static irreversible`: why it has no `down`; null where it is not declared. */
  readonly irreversible: string | null;
  /** `static lint`: the reasons for which rules of `lint` don't hold, by rule. */
  readonly lint: Readonly<Record<string, string>>;
}

/** A table, or a column of one, by unquoted names. */
export interface DeclaredObject {
  readonly schema: string;
  readonly table: string;
  /** Null for the table itself. */
  readonly column: string | null;
}

/**
 * Returns what the class of a migration declares. A list has entries `'table.column: why'`, or `'table: why'` for all columns and the rows;
 * the schema may stand before the table, and a name is quoted as in SQL where it has capitals or dots.
 *
 * @throws MigrationRefusedError when a declaration is not of its form.
 */
export function readDeclarations(name: string, instance: Migration): Declarations {
  const declared: object = instance.constructor;
  try {
    return {
      loses: listIn(declared, 'loses'),
      refuses: listIn(declared, 'refuses'),
      irreversible: reasonIn(declared, 'irreversible'),
      lint: reasonsIn(declared),
    };
  } catch (cause) {
    throw new MigrationRefusedError(`${name}: ${isNativeError(cause) ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/**
 * Whether a declaration names an object: a column by its own name or its table's, a table only by its own. A name without a schema stands
 * for that table in any schema.
 */
export function isDeclaredBy({ parts }: Declaration, { schema, table, column }: DeclaredObject): boolean {
  const names = [[table], [schema, table]];
  const columns = column === null ? [] : names.map((path) => [...path, column]);
  return [...names, ...columns].some(
    (path) => path.length === parts.length && path.every((part, index) => part === parts[index]),
  );
}

const identifier = /(?:"(?:[^"]|"")+"|[^\s".:]+)/;
const entry = new RegExp(`^(${identifier.source}(?:\\.${identifier.source}){0,2}):\\s*(\\S.*)$`, 's');

function listIn(declared: object, property: 'loses' | 'refuses'): Declaration[] {
  const value: unknown = property in declared ? Reflect.get(declared, property) : [];
  const form = `static ${property} = ['table.column: why']`;
  if (!Array.isArray(value)) throw new Error(`its \`${property}\` is no list; write ${form}`);
  return value.map((text: unknown) => {
    const [, object, reason] = (typeof text === 'string' ? entry.exec(text) : null) ?? [];
    if (typeof text !== 'string' || object === undefined || reason === undefined)
      throw new Error(`its \`${property}\` has ${JSON.stringify(text)}; write ${form}`);
    return { parts: partsOf(object), text, reason: reason.trim() };
  });
}

function partsOf(name: string): string[] {
  return [...name.matchAll(new RegExp(identifier, 'g'))].map(([part]) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part,
  );
}

function reasonsIn(declared: object): Record<string, string> {
  const value: unknown = 'lint' in declared ? declared.lint : {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error("its `lint` is no object; write static lint = { 'rule-name': 'why' }");
  return Object.fromEntries(
    Object.entries(value).map(([rule, reason]: [string, unknown]) => {
      if (typeof reason !== 'string' || reason.trim() === '')
        throw new Error(`its \`lint\` has no reason for ${rule}; write static lint = { '${rule}': 'why' }`);
      return [rule, reason.trim()];
    }),
  );
}
