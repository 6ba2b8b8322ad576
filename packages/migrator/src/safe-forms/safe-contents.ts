import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import { safeForms, type SafeForms, type Statements } from './safe-forms.ts';
import type { Content, Method } from '../create/file/source.ts';
import { runTrial, type Directions } from '../create/trial.ts';

/** Migrations in place of one, in their order. */
export type SafeContents = readonly {
  readonly part: 'main' | 'concurrent' | 'closing';
  readonly content: Content;
}[];

/** Returns a migration divided so that no part blocks readers and writers for longer than a moment; null when it needs no other form. */
export async function safeContents(content: Content): Promise<SafeContents | null> {
  const forms = await safeForms({ up: content.up.statements, down: content.down.statements });
  if (!forms) return null;
  const contents = [
    { part: 'main', content: { ...content, ...methodsOf(forms.main) } },
    {
      part: 'concurrent',
      content: {
        ...methodsOf(forms.concurrent),
        apart: true,
        summary: 'Builds and drops the indexes of the migration before, while rows are read and written',
        locked: { changed: [], referred: [] },
        declarations: ['Going back loses nothing.'],
        declared: { loses: [], refuses: content.declared.refuses },
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

/** Returns the tables on which the closing migration takes the strongest lock, at its end. */
function tablesOf({ closing }: SafeForms, { locked }: Content): string[] {
  return closing.up.some(({ sql }) => / set not null$| using index /.test(sql)) ? [...locked.changed] : [];
}
