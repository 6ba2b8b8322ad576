import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import type { Progress } from '../ledger/state.ts';
import { parseSql, type ParsedStatement } from '../sql/parse-sql.ts';

/** One direction of a migration that is about to run. */
export interface PendingStep {
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  /** Null when they are not known. */
  readonly statements: readonly string[] | null;
}

/** A step, and what is left to send of it. */
export interface ParsedStep {
  readonly name: string;
  readonly direction: Direction;
  /** The queries of its `prechecks`; none once it began. */
  readonly checks: readonly string[];
  /** Null when they are not known. */
  readonly texts: readonly ParsedText[] | null;
}

/** One text that a migration sends. */
interface ParsedText {
  /** Its number, from 1. */
  readonly number: number;
  /** Null when the grammar can't parse it. */
  readonly statements: readonly ParsedStatement[] | null;
}

// Parsing a longer one takes seconds: it is one of rows.
const longest = 1_000_000;

/** Parses what is left to send of a step. */
export async function parseStep(
  { migration, direction, statements: known }: PendingStep,
  progress: readonly Progress[],
): Promise<ParsedStep> {
  const { name, settings } = migration;
  const done = new Set(
    progress.flatMap((row) =>
      row.name === name && row.direction === 'up' && row.done ? [row.statement] : [],
    ),
  );
  const texts = direction === 'down' ? null : (known ?? (await migration.emit('up').catch(() => null)));
  const parsed: ParsedText[] = [];
  for (const [index, sql] of (texts ?? []).entries())
    if (!done.has(index)) parsed.push({ number: index + 1, statements: await parseApart(sql) });
  return {
    name,
    direction,
    checks: done.size === 0 && direction === 'up' ? (settings.prechecks ?? []) : [],
    texts: texts && parsed,
  };
}

/** Parses the statements of a text, each by its own text, so that the places in its tree are those of the text. */
async function parseApart(sql: string): Promise<ParsedStatement[] | null> {
  const statements = sql.length > longest ? null : await parseSql(sql);
  if (!statements) return null;
  const apart: ParsedStatement[] = [];
  for (const { text } of statements) apart.push(...((await parseSql(text)) ?? []));
  return apart;
}

/** Whether any statement may fail on rows of before, so that the database must be asked. */
export function asksRows(steps: readonly ParsedStep[]): boolean {
  const created = new Set<string | undefined>();
  const statements = steps.flatMap(({ texts }) => texts ?? []).flatMap((text) => text.statements ?? []);
  const asks = ({ node }: ParsedStatement): boolean => {
    if ('CreateStmt' in node) {
      if (node.CreateStmt.if_not_exists !== true) created.add(node.CreateStmt.relation?.relname);
      return node.CreateStmt.partbound !== undefined;
    }
    if ('AlterTableStmt' in node)
      return (
        node.AlterTableStmt.objtype === 'OBJECT_TABLE' && !created.has(node.AlterTableStmt.relation?.relname)
      );
    if ('IndexStmt' in node)
      return node.IndexStmt.unique === true && !created.has(node.IndexStmt.relation?.relname);
    return 'AlterDomainStmt' in node;
  };
  return steps.some(({ checks }) => checks.length > 0) || statements.some(asks);
}
