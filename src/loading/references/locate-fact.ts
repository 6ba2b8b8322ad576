import { escapeIdentifier } from 'pg';
import { DanglingReferenceError, InvalidValueError, type RefusedError } from '../../errors.ts';
import { columnName, columnsEqual, tableName } from '../load/column-sql.ts';
import type { LoadSession } from '../load/load-session.ts';
import { buildCandidateStatement, candidatesTable, factsTable } from './build-candidate-statement.ts';
import type { ResolvedTarget } from './resolved-target.ts';

/**
 * Returns the error of a target with the number of the first fact whose parent lacks a required value, or references a missing row; unchanged for
 * other errors. `named` is before its message. Call it after the rollback to the facts.
 */
export async function locateFact(
  session: LoadSession,
  target: ResolvedTarget,
  error: RefusedError,
  { named }: { readonly named: string },
): Promise<RefusedError> {
  const condition = conditionOf(target, error);
  if (condition === null) return error;
  await session.run(buildCandidateStatement(target));
  const joined = target.key.map(
    ({ column, staged }) => `fact.${staged.name} = ${columnName(column, 'candidate')}`,
  );
  const keys = target.key.map(({ column }) => column);
  const { fact } = await session.run(
    `select min(fact.n) as fact from pg_temp.${factsTable} fact join pg_temp.${candidatesTable} candidate on ${joined.join(' and ')}
     where ${condition} and not exists (select from ${target.table} present where ${columnsEqual(keys, 'present', 'candidate')})`,
  );
  await session.run(`drop table pg_temp.${candidatesTable}`);
  if (fact === undefined || fact === null) return error;
  const { table, constraint, column } = error;
  const at = { table, constraint, column, row: fact };
  const options = { cause: error.cause };
  return error instanceof InvalidValueError
    ? new InvalidValueError(`${named}no fact of a parent gives a required value (23502)`, at, options)
    : new DanglingReferenceError(`${named}a parent references a missing row (23503)`, at, options);
}

/** Returns the condition for the candidates that the error is about; null where it is not known. */
function conditionOf({ key, columns }: ResolvedTarget, error: RefusedError): string | null {
  const written = [...key, ...columns].map(({ column }) => column);
  if (error instanceof InvalidValueError && error.column !== undefined && error.constraint === undefined)
    return `candidate.${escapeIdentifier(error.column)} is null`;
  if (!(error instanceof DanglingReferenceError)) return null;
  const missing = written.flatMap(({ name, references }) => {
    if (references === null) return [];
    const { schema, table, column } = references;
    const parents = tableName({ schema, table });
    const value = `candidate.${escapeIdentifier(name)}`;
    return `(${value} is not null and not exists (select from ${parents} where ${escapeIdentifier(column)} = ${value}))`;
  });
  return missing.length === 0 ? null : `(${missing.join(' or ')})`;
}
