import type { MikroORM } from '@mikro-orm/postgresql';
import { describeEntityDifference } from '../catalog/differences.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { compareEntities, effectOf } from '../entities/entity-differences.ts';
import { dropLeftOut } from '../entities/drop-left-out.ts';
import { quoteDefaults } from '../entities/quote-defaults.ts';
import type { Direction } from '../files/code-migration.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { applyRenames, revertRenames, type AppliedRenames } from './apply-renames.ts';
import type { Decisions, Rename } from './decisions.ts';
import { compare, describedSchema, readSchema, toStatements, type SchemaDifference } from './difference.ts';
import { splitAtNewValues } from './enum-values.ts';
import { generatedTypes, recreatedColumns, withRestoredParts } from './generated-columns.ts';
import { leaveAlone } from './leave-alone.ts';
import { declaredFor } from './declared.ts';
import { declarationsOf, lockedTables, lossesOf, summaryOf } from './docstring.ts';
import { notesOf, type Content, type Method } from './file/source.ts';
import { runTrial, type Directions, type TrialReport } from './trial.ts';
import { changedTypes, typeChanges, withTypeChanges, type TypeChange } from './type-changes.ts';
import { refuseUnused, requireDecisions } from './undecided.ts';
import { typeWarningsOf, warningsOf, type Warning } from './warnings.ts';

/** What is written: nothing, a migration, or two that have to run one after the other. */
export interface Contents {
  readonly migrations: readonly Content[];
  /** What migrations make, no entity describes, and stays. */
  readonly kept: readonly string[];
}

/** The scratch database, which has the schema of the migrations. */
export interface ScratchSchema {
  readonly orm: MikroORM;
  /** The migrator's. */
  readonly schema: string;
  readonly ignored: IgnoredObjects;
}

/**
 * Returns the migrations that lead from the schema of a scratch database to that of its entities, tried there in both directions.
 *
 * @throws MigrationRefusedError when it would lose values that `options` don't name, or can't write what the entities need.
 */
export async function contentsOf(scratch: ScratchSchema, options: Decisions): Promise<Contents> {
  const { orm, schema, ignored } = scratch;
  const { renames = [], drops = [], lossy = [] } = options;
  await quoteDefaults(orm);
  await dropLeftOut(orm);
  const renamed = await applyRenames(orm, { schema, ignored, renames });
  const difference = await differenceOf(scratch, renamed, new Set(drops));
  const { forward, backward, kept } = difference;
  const there = { from: renamed.made, to: renamed.described, direction: 'up' } as const;
  const back = { from: renamed.described, to: renamed.made, direction: 'down' } as const;
  const types = {
    up: await typeChanges(orm, { ...there, lossy: new Set(lossy) }),
    down: await typeChanges(orm, { ...back, lossy: new Set() }),
  };
  const recreated = await recreatedColumns(orm, forward);
  const generated = {
    up: await generatedTypes(orm, changedTypes(orm, there), recreated),
    down: await generatedTypes(orm, changedTypes(orm, back), recreated),
    tables: changedTypes(orm, there).flatMap((one) => (one.generated ? [one.ofTable] : [])),
  };
  const guarded = types.up.filter(({ values }) => values !== 'kept').map(({ name }) => name);
  refuseUnused('--lossy', lossy, guarded, 'its type does not change in a way that may change values');
  const warnings = {
    up: [...movesOf(renamed), ...warningsOf(forward), ...typeWarningsOf(types.up, 'up', forward)],
    down: [...warningsOf(backward), ...typeWarningsOf(types.down, 'down', backward)],
  };
  const about = describe(renamed, renames, forward, generated.tables);
  const declarations = declarationsOf({ up: lossesOf(forward), down: lossesOf(backward) }, types);
  keepEqualTypes(forward, types.up);
  keepEqualTypes(backward, types.down);
  const changes = {
    up: [
      ...generated.up,
      ...withRestoredParts(withTypeChanges(await toStatements(orm, forward), types.up), recreated),
    ],
    down: [
      ...withRestoredParts(withTypeChanges(await toStatements(orm, backward), types.down), recreated),
      ...generated.down,
    ],
  };
  const { isNone: isUnchanged, failures } = await effectOf(orm, schema, changes.up);
  if (isUnchanged && renamed.statements.length === 0) {
    await refuseUnwritable(scratch, failures);
    return { migrations: [], kept };
  }
  const statements = {
    up: renamed.statements.map(({ up }) => up),
    down: renamed.statements.map(({ down }) => down).toReversed(),
  };
  const whole = isUnchanged
    ? statements
    : { up: [...statements.up, ...changes.up], down: [...changes.down, ...statements.down] };
  await revertRenames(orm, renamed.statements);
  const { migrations, report } = await tried(scratch, whole, statements);
  refuseFailing(report);
  if (report.isUp) await refuseUnwritable(scratch, isUnchanged ? failures : []);
  return {
    migrations: migrations.map((one, index) =>
      index === migrations.length - 1
        ? {
            ...about,
            declarations,
            declared: declaredFor(warnings),
            up: annotate(one.up, warnings.up, report.up),
            down: annotate(one.down, warnings.down, report.down),
          }
        : valuesFirst(one, about),
    ),
    kept,
  };
}

async function differenceOf(
  { orm, ignored }: ScratchSchema,
  { made, described }: AppliedRenames,
  drops: ReadonlySet<string>,
): Promise<{
  readonly forward: SchemaDifference;
  readonly backward: SchemaDifference;
  readonly kept: string[];
}> {
  const [from, to] = [await readSchema(orm, ignored), describedSchema(orm, ignored)];
  const [forward, backward] = [compare(orm, from, to), compare(orm, to, from)];
  const removed = removableNames(forward);
  const evidence = { orm, made, described };
  const all = leaveAlone(
    { forward: compare(orm, from, to), backward: compare(orm, to, from) },
    { ...evidence, drops: new Set() },
  );
  refuseUnused(
    '--drop',
    drops,
    [...removed, ...all.map(plainName)],
    'the entities still describe it, or the migrations do not make it',
  );
  const kept = leaveAlone({ forward, backward }, { ...evidence, drops });
  requireDecisions(forward, { made, described, drops });
  return { forward, backward, kept };
}

/** Takes out changes of types that PostgreSQL prints alike, such as that of `int` to `serial`. */
function keepEqualTypes({ changedTables }: SchemaDifference, types: readonly TypeChange[]): void {
  for (const { toTable, changedColumns } of Object.values(changedTables)) {
    for (const [column, { changedProperties }] of Object.entries(changedColumns)) {
      const name = `${toTable.getShortestName()}.${column}`;
      if (!types.some((one) => one.name === name)) changedProperties.delete('type');
      if (changedProperties.size === 0) delete changedColumns[column];
    }
  }
}

function removableNames({ removedTables, changedTables }: SchemaDifference): string[] {
  return [
    ...Object.values(removedTables).map((table) => table.getShortestName()),
    ...Object.values(changedTables).flatMap((table) =>
      Object.keys(table.removedColumns).map((column) => `${table.fromTable.getShortestName()}.${column}`),
    ),
  ];
}

/** Returns the name of what is kept, without its kind. */
function plainName(kept: string): string {
  return kept.replace(/^(?:materialized view|foreign key|row security of|\w+) /, '');
}

async function tried(
  { orm, schema }: ScratchSchema,
  whole: Directions,
  renames: Directions,
): Promise<{ readonly migrations: readonly Directions[]; readonly report: TrialReport }> {
  const report = await runTrial(orm, schema, [whole]);
  if (report.failure?.usesNewValue !== true) return { migrations: [whole], report };
  const migrations = await splitAtNewValues(whole, renames);
  return { migrations, report: await runTrial(orm, schema, migrations) };
}

/** @throws MigrationRefusedError when a direction can't be run, with its statement and the server's reason. */
function refuseFailing({ failure }: TrialReport): void {
  if (failure === null) return;
  const { direction, statement, reason } = failure;
  throw new MigrationRefusedError(
    `a statement of \`${direction}\` fails even without rows; nothing was written: write a migration by hand, or correct the entity:\n` +
      `  ${statement}: ${reason}`,
  );
}

/** Returns the first of two migrations. */
function valuesFirst({ up, down }: Directions, { locked }: Pick<Content, 'locked'>): Content {
  return {
    summary:
      'Adds values to native enums: the next migration uses them, which PostgreSQL allows after this one has committed',
    locked: { changed: down.length === 0 ? [] : locked.changed, referred: [] },
    declarations: ["Going back loses nothing, and keeps the values: PostgreSQL can't remove them."],
    declared: { loses: [], refuses: [] },
    up: annotate(up, [], []),
    down: annotate(down, [], []),
  };
}

function describe(
  { moves, locked }: AppliedRenames,
  renames: readonly Rename[],
  forward: SchemaDifference,
  recomputed: readonly string[],
): Pick<Content, 'summary' | 'locked'> {
  const names = [...renames, ...moves].map(({ from, to }) => `${from} to ${to}`);
  return {
    summary: summaryOf(forward, names, recomputed),
    locked: lockedTables(forward, locked, recomputed),
  };
}

function movesOf({ moves }: AppliedRenames): Warning[] {
  return moves.map(({ from, to }) => ({
    message: `takes ${to} for ${from}, with its rows: both have the same name and columns`,
    about: [' set schema '],
  }));
}

// The ORM's comparison is not PostgreSQL's: it finds no statement for some differences.
async function refuseUnwritable(
  { orm, schema, ignored }: ScratchSchema,
  failures: readonly string[],
): Promise<void> {
  const { differing } = await compareEntities(orm, schema, ignored);
  if (differing.length === 0) return;
  const why =
    failures.length === 0
      ? 'but the ORM finds no statement for it'
      : 'but the statements for it fail even without rows';
  throw new MigrationRefusedError(
    `entities and migrations differ, ${why}: write a migration by hand, or correct the entity:\n` +
      [...differing.map(describeEntityDifference), ...failures].map((line) => `  ${line}`).join('\n'),
  );
}

/** Adds each warning to the first statement that it concerns; to the whole direction if it concerns none. */
function annotate(
  statements: readonly string[],
  warnings: readonly Warning[],
  problems: readonly string[],
): Method {
  const placed = warnings.map(({ message, about, ofLock = false }) => ({
    message,
    ofLock,
    at: statements.findIndex((sql) => about.every((part) => sql.includes(part))),
  }));
  const messagesAt = (index: number, ofLock: boolean) =>
    placed.filter((one) => one.at === index && one.ofLock === ofLock).map(({ message }) => message);
  return {
    notes: [...problems, ...messagesAt(-1, false)],
    locks: messagesAt(-1, true),
    statements: statements.map((sql, index) => ({
      sql,
      notes: messagesAt(index, false),
      locks: messagesAt(index, true),
    })),
  };
}

/** Returns the warnings of a migration, in the order of its statements. */
export function warningsIn({
  up,
  down,
}: Content): { readonly direction: Direction; readonly message: string }[] {
  return [
    ...messagesOf(up).map((message) => ({ direction: 'up' as const, message })),
    ...messagesOf(down).map((message) => ({ direction: 'down' as const, message })),
  ];
}

function messagesOf(method: Method): string[] {
  return [...notesOf(method), ...method.statements.flatMap(notesOf)];
}
