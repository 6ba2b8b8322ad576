import { expect, test } from 'vitest';
import { parseSql } from '../../src/sql/parse-sql.ts';
import { SourceText } from '../../src/sql/source-text.ts';

test.each([
  'a > 0',
  '(a + b) * c > -1',
  '- - a > 1',
  'not (a is null)',
  `a in (1, 2) and b like E'x\\'y'`,
  `case when a then $$b; -- c$$ end = 'é'`,
  `lower("ä" collate "C") ~ '^ü'`,
  'exists (select 1 from t where (x).y = a)',
  `a -> 'x' ->> 'y' is not null`,
  'cast(a as numeric(4, 2)) between symmetric 1 and 2',
])('the text of an expression is found: %s', async (expression) => {
  const sql = `alter table "ü" /* ( */ add constraint x check ( ${expression} /* ) */ ) not valid, alter b type int`;
  const [statement] = (await parseSql(sql)) ?? [];
  const [command] =
    statement && 'AlterTableStmt' in statement.node ? (statement.node.AlterTableStmt.cmds ?? []) : [];
  const def = command && 'AlterTableCmd' in command ? command.AlterTableCmd.def : undefined;
  const tree = def && 'Constraint' in def ? def.Constraint.raw_expr : undefined;
  const source = await SourceText.of(sql);

  expect(tree && (await source.expression(tree))).toBe(expression);
});

test.each([
  'varchar(5)',
  'numeric(4, 2)[]',
  'shop."Mood"',
  'timestamp(3) with time zone',
  'interval day to second(3)',
])('the text of a type is found: %s', async (type) => {
  const sql = `alter table t alter b type ${type} using b::${type}, add c int`;
  const [statement] = (await parseSql(sql)) ?? [];
  const [command] =
    statement && 'AlterTableStmt' in statement.node ? (statement.node.AlterTableStmt.cmds ?? []) : [];
  const def = command && 'AlterTableCmd' in command ? command.AlterTableCmd.def : undefined;
  const column = def && 'ColumnDef' in def ? def.ColumnDef : {};
  const source = await SourceText.of(sql);

  expect(column.typeName && (await source.type(column.typeName))).toBe(type);
  expect(column.raw_default && (await source.expression(column.raw_default))).toBe(`b::${type}`);
});

test('no text is found for a tree of another statement', async () => {
  const source = await SourceText.of('alter table t add check (a > 0)');

  expect(
    await source.expression({ ColumnRef: { fields: [{ String: { sval: 'b' } }], location: 25 } }),
  ).toBeNull();
});
