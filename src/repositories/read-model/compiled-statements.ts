import type { Kysely } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import { named } from '../../postgres/client/named-statements.ts';
import { buildStatement } from './build-statement.ts';
import { filterStates } from './conditions.ts';
import { InlineConstants, Parameter } from './parameter.ts';
import type { ResolvedModel } from './resolved-model.ts';
import type { Row } from './row.ts';
import type { StatementSpec } from './statement-spec.ts';

const inlineConstants = new InlineConstants();

type Compiled = CompiledQuery<Row>;

// By the model, and by the model of the head row: the same model where there is no head row.
const cache = new WeakMap<ResolvedModel, WeakMap<ResolvedModel, Map<string, Compiled>>>();

/** Returns the statement of a specification with the values of its parameters. The statement is compiled once. */
export function boundStatement(
  model: ResolvedModel,
  db: Kysely<Tables>,
  spec: StatementSpec,
  values: object,
): Compiled {
  const statement = compiledStatement(model, db, spec);
  const parameters = statement.parameters.map((value) =>
    value instanceof Parameter ? Reflect.get(values, value.name) : value,
  );
  return { ...statement, parameters };
}

/**
 * Returns the compiled statement of a specification, with a `Parameter` in place of each value. It is cached: to compile it takes longer than
 * PostgreSQL takes to find a row by its key.
 */
export function compiledStatement(model: ResolvedModel, db: Kysely<Tables>, spec: StatementSpec): Compiled {
  const {
    kind,
    filterValues,
    sortBy,
    direction,
    limited,
    counted,
    firstRows,
    keysFirst,
    after,
    collation,
    head,
  } = spec;
  const states = filterStates(model.model, filterValues, kind !== 'key');
  const id = `${kind} ${sortBy} ${direction} ${limited} ${counted} ${firstRows} ${keysFirst} ${after} ${collation} ${states.join(' ')}`;
  const statements = statementsOf(model, head ?? model);
  let statement = statements.get(id);
  if (!statement) {
    statements.set(
      id,
      (statement = buildStatement(model, spec, states).withPlugin(inlineConstants).compile(db)),
    );
    if (fitsOnePlan(spec, states)) named(statement.sql);
  }
  return statement;
}

/**
 * Returns whether one plan is right for all values: for a row by its key, and for the first pages of a list without filters by a value. The
 * server keeps to a plan for all limits only when it is as cheap as those for the limits given.
 */
function fitsOnePlan({ kind, keysFirst = false }: StatementSpec, states: readonly string[]): boolean {
  return kind === 'key' || (kind === 'page' && !keysFirst && !states.includes('='));
}

function statementsOf(model: ResolvedModel, head: ResolvedModel): Map<string, Compiled> {
  let byHead = cache.get(model);
  if (!byHead) cache.set(model, (byHead = new WeakMap()));
  let statements = byHead.get(head);
  if (!statements) byHead.set(head, (statements = new Map()));
  return statements;
}
