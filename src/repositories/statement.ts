import type { Kysely } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../entities/tables.ts';

/** Stands for a value while a statement is written. */
class Parameter {
  readonly name: string | symbol;

  constructor(name: string | symbol) {
    this.name = name;
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever is asked for, a parameter of that name stands for it
const parameters = new Proxy({}, { get: (_, name) => new Parameter(name) }) as never;

/**
 * A statement that is written once, and then sent with other values: writing it anew takes longer than PostgreSQL takes to find a
 * row by its key. `write` must hand each given value on as a parameter and look at none: what decides on the text belongs into the
 * form, and each form is written once.
 */
export function statement<Given extends object, Row, Form extends [] | [form: object]>(
  write: (db: Kysely<Tables>, given: Given, ...form: Form) => { compile(): CompiledQuery<Row> },
): (db: Kysely<Tables>, given: Given, ...form: Form) => CompiledQuery<Row> {
  const written = new Map<string, CompiledQuery<Row>>();
  return (db, given, ...form) => {
    const key = JSON.stringify(form);
    let known = written.get(key);
    if (!known) {
      known = write(db, parameters, ...form).compile();
      written.set(key, known);
    }
    const values = known.parameters.map((value) =>
      value instanceof Parameter ? Reflect.get(given, value.name) : value,
    );
    return { ...known, parameters: values };
  };
}
