import { parseSql } from '../sql/parse-sql.ts';
import type { Directions } from './trial.ts';

/**
 * Splits a migration whose `up` uses values of native enums that it adds: PostgreSQL can use such a value only after the transaction that
 * added it. The first one renames and adds the values, the second one does the rest.
 */
export async function splitAtNewValues(
  { up, down }: Directions,
  renames: Directions,
): Promise<[Directions, Directions]> {
  const rest = up.slice(renames.up.length);
  const adds = await Promise.all(rest.map(addsValue));
  return [
    { up: [...renames.up, ...rest.filter((_, index) => adds[index])], down: renames.down },
    { up: rest.filter((_, index) => !adds[index]), down: down.slice(0, down.length - renames.down.length) },
  ];
}

async function addsValue(sql: string): Promise<boolean> {
  const [statement] = (await parseSql(sql)) ?? [];
  return statement !== undefined && 'AlterEnumStmt' in statement.node;
}
