import { parseSql, type AlterTableCmd, type Node, type RangeVar } from '../sql/parse-sql.ts';
import { scanSql } from '../sql/scan-sql.ts';
import { quoted } from '../create/named-objects.ts';
import type { AnnotatedStatement } from '../create/file/source.ts';

/** A statement, or one action of an `alter table`, which is a statement too. */
export interface StatementPart extends AnnotatedStatement {
  /** Null for what PostgreSQL's grammar can't parse. */
  readonly node: Node | null;
  /** The action of an `alter table`; null for any other statement. */
  readonly change: AlterTableCmd | null;
  /** The quoted name of the table that it alters; null for any other statement. */
  readonly table: string | null;
  /** Its text after the table's name; empty for any other statement. */
  readonly text: string;
}

/** Returns each statement by its actions: one, but of an `alter table` with several actions. */
export async function partsOf(statements: readonly AnnotatedStatement[]): Promise<StatementPart[][]> {
  return Promise.all(statements.map(partsOfStatement));
}

async function partsOfStatement({ sql, notes }: AnnotatedStatement): Promise<StatementPart[]> {
  const [statement, ...others] = (await parseSql(sql)) ?? [];
  // What can't be parsed stays as it is.
  if (!statement || others.length > 0)
    return [{ sql, notes, node: null, change: null, table: null, text: '' }];
  const { node } = statement;
  const whole: StatementPart = { sql, notes, node, change: null, table: null, text: '' };
  if (!('AlterTableStmt' in node) || node.AlterTableStmt.objtype !== 'OBJECT_TABLE') return [whole];
  const { relation, cmds = [] } = node.AlterTableStmt;
  if (!relation) return [whole];
  const table = relationName(relation);
  const texts = await actionTexts(sql);
  const changes = cmds.flatMap((one) => ('AlterTableCmd' in one ? [one.AlterTableCmd] : []));
  if (texts.length !== changes.length) return [whole];
  return changes.map((change, index) => {
    const text = texts[index] ?? '';
    return { sql: `alter table ${table} ${text}`, notes, node, change, table, text };
  });
}

/** Returns the quoted name of a table, as the ORM writes it. */
export function relationName({ schemaname, relname = '' }: RangeVar): string {
  return schemaname === undefined ? quoted(relname) : `${quoted(schemaname)}.${quoted(relname)}`;
}

/** Returns the texts between the commas of an `alter table`, without the table's name. */
async function actionTexts(sql: string): Promise<string[]> {
  const tokens = (await scanSql(sql)) ?? [];
  const texts = [''];
  let depth = 0;
  // The first action begins after `alter table name`, of one or three tokens.
  const start = tokens[3]?.text === '.' ? 5 : 3;
  for (const { gap, text } of tokens.slice(start)) {
    if (text === ';' && depth === 0) break;
    if (text === ',' && depth === 0) {
      texts.push('');
      continue;
    }
    if (text === '(') depth++;
    if (text === ')') depth--;
    const last = texts.length - 1;
    texts[last] = texts[last] === '' ? text : `${texts[last]}${gap}${text}`;
  }
  return texts;
}
