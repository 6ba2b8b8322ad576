import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import { entry } from '../create/declared.ts';
import { quoted } from '../create/named-objects.ts';
import type { FilledColumn } from './filled-columns.ts';
import { safeForms, type SafeForms, type Statements } from './safe-forms.ts';
import type { Content, Method } from '../create/file/source.ts';
import { parseBackfill } from '../files/backfill.ts';
import { runTrial, type Directions } from '../create/trial.ts';

/** Migrations in place of one, in their order. */
export type SafeContents = readonly {
  readonly part: 'main' | 'concurrent' | 'closing';
  readonly content: Content;
}[];

/** Returns a migration divided so that no part blocks readers and writers for longer than a moment; null when it needs no other form. */
export async function safeContents(
  content: Content,
  filled: readonly FilledColumn[],
): Promise<SafeContents | null> {
  const forms = await safeForms({ up: content.up.statements, down: content.down.statements }, filled);
  if (!forms) return null;
  const contents = [
    { part: 'main', content: { ...content, ...methodsOf(forms.main) } },
    {
      part: 'concurrent',
      content: {
        ...methodsOf(forms.concurrent),
        apart: true,
        summary: summaryOf(forms.concurrent),
        locked: { changed: [], referred: [] },
        declarations: ['Going back loses nothing.'],
        declared: { loses: filledBy(forms.concurrent, filled), refuses: content.declared.refuses },
      },
    },
    {
      part: 'closing',
      content: {
        ...methodsOf(forms.closing),
        summary:
          'Checks the rows for the constraints of the migrations before, while rows are read and written',
        locked: { changed: tablesOf(forms, content), referred: [] },
        declarations: ['Going back loses nothing.'],
        declared: { loses: [], refuses: content.declared.refuses },
      },
    },
  ] as const;
  const [first, ...others] = contents.filter(({ part }) => !isEmpty(forms[part]));
  if (!first) return null;
  const { up, down } = first.content;
  // What is not about one statement concerns the first.
  const whole = {
    summary: content.summary,
    declarations: content.declarations,
    up: { ...up, notes: content.up.notes },
    down: { ...down, notes: content.down.notes },
  };
  return [{ part: first.part, content: { ...first.content, ...whole } }, ...others];
}

/**
 * Whether migrations make the same schema as `expected`, and go down and up again, on a scratch database with the schema of the earlier
 * migrations.
 */
export async function isEquivalent(
  orm: MikroORM,
  schema: string,
  contents: readonly Content[],
  expected: Catalog,
): Promise<boolean> {
  const report = await runTrial(orm, schema, contents.map(directionsOf));
  if (report.failure || !report.isUp || report.up.length > 0) return false;
  return differences(expected, await readCatalog(orm, schema)).length === 0;
}

function directionsOf({ up, down, apart = false }: Content): Directions {
  return { up: textsOf(up), down: textsOf(down), apart };
}

function textsOf({ statements }: Method): string[] {
  return statements.map(({ sql }) => sql);
}

function methodsOf({ up, down }: Statements): { readonly up: Method; readonly down: Method } {
  return { up: { notes: [], statements: up }, down: { notes: [], statements: down } };
}

function isEmpty({ up, down }: Statements): boolean {
  return up.length + down.length === 0;
}

/** Returns what a migration has to declare for the columns that it fills: where NULL is allowed, NULL does not come back. */
function filledBy({ up }: Statements, filled: readonly FilledColumn[]): string[] {
  const fills = up.flatMap(({ sql }) => parseBackfill(sql) ?? []);
  return filled
    .filter(({ label, column }) =>
      fills.some(({ table, set }) => table === label && set.startsWith(`${quoted(column)} = `)),
    )
    .map(({ table, column }) => entry({ table, column, why: 'keeps what was filled' }, 'down'));
}

function summaryOf({ up }: Statements): string {
  const isFill = ({ sql }: (typeof up)[number]): boolean => parseBackfill(sql) !== null;
  const fills = up.some(isFill) ? ['fills the new columns'] : [];
  const builds = up.some(({ sql }) => / index concurrently /.test(sql))
    ? ['builds and drops the indexes']
    : [];
  const [first = '', ...others] = [...fills, ...builds];
  const text = [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...others].join(', and ');
  return `${text} of the migration before, while rows are read and written`;
}

/** Returns the tables on which the closing migration takes the strongest lock, at its end. */
function tablesOf({ closing }: SafeForms, { locked }: Content): string[] {
  return closing.up.some(({ sql }) => / set not null$| using index /.test(sql)) ? [...locked.changed] : [];
}
