import { MigrationRefusedError } from '../session/errors.ts';
import type { Catalog, CatalogFacts, CatalogObject } from './catalog.ts';

/**
 * Whether an object is left out of comparisons.
 *
 * A pattern is `schema.name`, or `name` for the schema `public`; `*` stands for any characters and `?` for one. It holds for objects of
 * every kind: a table with its parts, a view, a sequence, a function by its name without arguments. `schema.*` holds for the schema too.
 * A pattern may begin with the kind that `check` prints, as in `function shop.*`; objects without a schema need it: `extension pg_*`.
 * `role reader_*` leaves out the privileges that such roles have on any object.
 */
export class IgnoredObjects {
  readonly #patterns: readonly Pattern[];

  /** @throws MigrationRefusedError when a pattern is not of that form. */
  constructor(patterns: readonly string[] = []) {
    this.#patterns = patterns.map(parse);
  }

  /** Whether an object of a catalog, such as `table shop.product`, is left out. */
  has(object: string): boolean {
    if (this.#patterns.length === 0) return false;
    const [, kind = '', rest = ''] = kindAndName.exec(object) ?? [];
    if (kind === 'schema') {
      const schema = identifiersOf(rest)[0] ?? '';
      return this.#patterns.some(
        (one) =>
          (one.kind === null && one.isWholeSchema && one.schema.test(schema)) ||
          matchesPlain(one, kind, schema),
      );
    }
    if (withoutSchema.has(kind))
      return this.#patterns.some((one) => matchesPlain(one, kind, identifiersOf(rest)[0] ?? ''));
    const parts = identifiersOf(rest);
    const [schema = 'public', name = ''] = parts.length > 1 ? parts : ['public', parts[0] ?? ''];
    return this.hasNamed(schema, name, kind);
  }

  /** Whether an object is left out, by its name. */
  hasNamed(schema: string, name: string, kind: string | null = null): boolean {
    return this.#patterns.some(
      (one) => (one.kind === null || one.kind === kind) && one.schema.test(schema) && one.name.test(name),
    );
  }

  /** Returns a catalog without the objects that are left out, and without the privileges of roles that are. */
  without(catalog: Catalog): Catalog {
    if (this.#patterns.length === 0) return catalog;
    return new Map(
      [...catalog].flatMap(([name, object]): [string, CatalogObject][] =>
        this.has(name) ? [] : [[name, this.#withoutGrants(object)]],
      ),
    );
  }

  #withoutGrants({ facts, parts, columns }: CatalogObject): CatalogObject {
    const roles = this.#patterns.filter(({ kind }) => kind === 'role');
    if (roles.length === 0) return { facts, parts, columns };
    const withoutGrants = (all: CatalogFacts): CatalogFacts =>
      Object.fromEntries(
        Object.entries(all).filter(([fact]) => {
          const [, role] = /^privilege \S+ of (.*)$/s.exec(fact) ?? [];
          return role === undefined || !roles.some(({ name }) => name.test(role));
        }),
      );
    return {
      facts: withoutGrants(facts),
      parts: new Map([...parts].map(([part, of]) => [part, withoutGrants(of)])),
      columns,
    };
  }
}

interface Pattern {
  /** Null for any kind. */
  readonly kind: string | null;
  readonly schema: RegExp;
  readonly name: RegExp;
  readonly isWholeSchema: boolean;
}

const kinds =
  'schema|table|foreign table|view|materialized view|type|sequence|function|procedure|aggregate|collation|extension|event trigger|role';
const kindAndName = new RegExp(`^(${kinds}) (.+)$`, 's');
const withoutSchema: ReadonlySet<string> = new Set(['extension', 'event trigger']);

function matchesPlain(one: Pattern, kind: string, name: string): boolean {
  return one.kind === kind && one.name.test(name);
}

function parse(pattern: string): Pattern {
  const [, kind = null, rest = pattern] = kindAndName.exec(pattern) ?? [];
  const parts = rest.split('.');
  if (parts.length > 2 || parts.some((part) => part === '' || /[\s"]/.test(part))) {
    throw new MigrationRefusedError(
      `ignore: ${JSON.stringify(pattern)} is no pattern: use schema.name with * and ?, such as pgboss.* or public.events_p*`,
    );
  }
  const [schema, name] = parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : ['public', parts[0] ?? ''];
  return { kind, schema: glob(schema), name: glob(name), isWholeSchema: parts.length === 2 && name === '*' };
}

function glob(text: string): RegExp {
  const source = text
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

/** Returns the identifiers of a name as a catalog has it, unquoted, without arguments of a function. */
export function identifiersOf(name: string): string[] {
  const parts: string[] = [];
  for (const [, separator = '', quoted, plain = ''] of name.matchAll(
    /(^|\.)(?:"((?:[^"]|"")*)"|([^".(]+))/gs,
  )) {
    if (separator === '' && parts.length > 0) break;
    parts.push(quoted?.replaceAll('""', '"') ?? plain);
    if (parts.length === 2) break;
  }
  return parts;
}
