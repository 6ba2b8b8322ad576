import { isDeepStrictEqual } from 'node:util';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { describeNotRestored, differences } from '../catalog/differences.ts';
import type { ScratchSchema } from '../create/contents.ts';
import type { Content } from '../create/file/source.ts';
import { runTrial } from '../create/trial.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { poolSession } from '../session/session.ts';
import { readColumn, type ColumnWithParts } from './column-with-parts.ts';

/** What a migration does, for messages. */
export interface Subject {
  /** After `can't`. */
  readonly what: string;
}

/**
 * Runs a migration up, down and up again on the scratch database, and returns it.
 *
 * @throws MigrationRefusedError when a direction fails, or does not restore the schema.
 */
export async function contentOf(
  { orm, schema }: ScratchSchema,
  content: Content,
  subject: Subject,
): Promise<Content> {
  const [up, down] = [statementsOf(content, 'up'), statementsOf(content, 'down')];
  const { failure, ...report } = await runTrial(orm, schema, [{ up, down, apart: true }]);
  if (failure)
    refuse(
      subject,
      `a statement of \`${failure.direction}\` fails even without rows: ${failure.reason}, at "${excerpt(failure.statement)}"`,
    );
  const problems = [
    ...report.up.map((text) => `\`up\` ${text}`),
    ...report.down.map((text) => `\`down\` ${text}`),
  ];
  if (problems.length > 0) refuse(subject, problems.join('; '));
  return content;
}

/** @throws MigrationRefusedError when the scratch database has another schema than a plain rename would leave. */
export async function requireSame(
  { orm, schema, ignored }: ScratchSchema,
  expected: Catalog,
  subject: Subject,
): Promise<void> {
  const found = ignored.without(await readCatalog(orm, schema));
  const differing = differences(expected, found).filter(
    ({ fact, part, expected: there, found: here }) =>
      // A new column is the last one.
      fact !== 'order of columns' &&
      !(part?.startsWith('statistics ') && withSortedColumns(there ?? '') === withSortedColumns(here ?? '')),
  );
  if (differing.length > 0)
    refuse(
      subject,
      `the result would differ from a rename:\n${differing.map((one) => `  ${describeNotRestored(one)}`).join('\n')}`,
    );
}

/**
 * Runs `down` on a scratch database as `up` has made it.
 *
 * @throws MigrationRefusedError when the column is not as it was, with what no catalog contains.
 */
export async function requireRestored(
  { orm }: ScratchSchema,
  content: Content,
  column: ColumnWithParts,
  subject: Subject,
): Promise<void> {
  for (const sql of statementsOf(content, 'down')) await poolSession(orm).query(sql);
  const found = await readColumn(orm, column);
  if (!isDeepStrictEqual(found && comparable(found), comparable(column)))
    refuse(subject, '`down` would not restore the column with all that belongs to it');
}

// A part that is created again has another number.
function comparable({ parts, ...column }: ColumnWithParts): unknown {
  const definitions = parts.map(({ kind, definition }) =>
    kind === 'statistics' ? withSortedColumns(definition) : definition,
  );
  return { ...column, parts: parts.map((part) => ({ ...part, oid: '', definition: '' })), definitions };
}

// PostgreSQL prints the columns of statistics in their order in the table.
function withSortedColumns(definition: string): string {
  return definition.replace(/(?<= ON ).*(?= FROM )/s, (columns) => columns.split(', ').toSorted().join(', '));
}

function statementsOf(content: Content, direction: 'up' | 'down'): string[] {
  return content[direction].statements.map(({ sql }) => sql);
}

function excerpt(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}

function refuse({ what }: Subject, why: string): never {
  throw new MigrationRefusedError(`can't ${what}; nothing was written: write the migrations by hand: ${why}`);
}
