import { isDate, isUint8Array } from 'node:util/types';
import type { EntityProperty, MikroORM } from '@mikro-orm/postgresql';
import { parseSql } from '../sql/parse-sql.ts';

/**
 * Corrects the defaults of properties in the ORM's metadata. The ORM puts a value between quotes as it is, so that `it's` is invalid SQL,
 * and prints objects and dates as JavaScript does. A default that is a valid constant, such as `it''s`, stays, and so does raw SQL.
 */
export async function quoteDefaults(orm: MikroORM): Promise<void> {
  for (const meta of orm.getMetadata().getAll().values()) {
    for (const property of meta.props) {
      const corrected = await correctedDefault(property);
      if (corrected !== undefined) property.defaultRaw = corrected;
    }
  }
}

async function correctedDefault({
  default: value,
  defaultRaw,
}: Pick<EntityProperty, 'default' | 'defaultRaw'>): Promise<string | undefined> {
  // Typed by the ORM as the values of a property's type; JSON and binary columns have others.
  const given: unknown = value;
  if (defaultRaw === undefined || given === undefined || given === null) return undefined;
  const [, inner] = /^'(.*)'$/s.exec(defaultRaw) ?? [];
  if (inner !== undefined) return (await isConstant(defaultRaw)) ? undefined : literal(inner);
  if (typeof given === 'number') return Number.isFinite(given) ? undefined : literal(String(given));
  // Another text is the ORM's conversion, or raw SQL.
  if (typeof given !== 'object' || defaultRaw !== String(Object(given))) return undefined;
  if (isDate(given)) return literal(given.toISOString());
  if (isUint8Array(given)) return literal(String.raw`\x${Buffer.from(given).toString('hex')}`);
  return literal(JSON.stringify(given));
}

async function isConstant(sql: string): Promise<boolean> {
  const statements = await parseSql(`select ${sql}`);
  const [statement] = statements ?? [];
  if (statements?.length !== 1 || !statement || !('SelectStmt' in statement.node)) return false;
  const { targetList = [], ...rest } = statement.node.SelectStmt;
  const [target] = targetList;
  if (targetList.length !== 1 || !target || !('ResTarget' in target)) return false;
  const { val, name } = target.ResTarget;
  return name === undefined && val !== undefined && 'A_Const' in val && rest.fromClause === undefined;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
