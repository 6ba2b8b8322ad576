import type { Migration } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { migrationClass, type MigrationClass } from '../files/migration-class.ts';
import { migrationFiles } from '../files/migration-files.ts';
import type { Finding, LintReport } from '../lint/observation/finding.ts';
import { withPoolErrorsHandled } from '../session/driver-options.ts';
import type { Certificate } from '../verify/certificate.ts';
import type { Declared } from '../create/file/source.ts';
import type { Content } from '../create/file/source.ts';

/** A migration that is not written yet. */
export interface Draft {
  readonly name: string;
  readonly content: Content;
}

/** Lints and verifies migrations on scratch databases. */
interface Prover {
  lint(request: { readonly migrations: readonly string[] }): Promise<LintReport>;
  verify(request: { readonly migrations: readonly string[] }): Promise<Certificate[]>;
}

/** What was found of drafts, as if they were written. */
export interface Proof {
  readonly certificates: readonly Certificate[];
  readonly findings: readonly Finding[];
  /** What each migration, by name, has to declare: what its warnings foresee, and `verify` saw. */
  readonly declared: ReadonlyMap<string, Declared>;
}

/** Lints and verifies migrations before they are written, after those of the code. */
export async function prove(
  orm: MikroORM,
  drafts: readonly Draft[],
  proverFor: (orm: MikroORM) => Prover,
): Promise<Proof> {
  const project = await MikroORM.init(
    withPoolErrorsHandled({
      ...orm.config.getAll(),
      migrations: { ...orm.config.get('migrations'), migrationsList: await listWith(orm, drafts) },
    }),
  );
  try {
    const migrations = drafts.map(({ name }) => name);
    const certificates = await proverFor(project).verify({ migrations });
    const { findings } = await proverFor(project).lint({ migrations });
    const declared = drafts.map(({ name, content }): [string, Declared] => {
      const certificate = certificates.find(({ migration }) => migration === name);
      return [name, seenIn(content.declared, certificate)];
    });
    return {
      certificates: certificates.map((one) => ({ ...one, notSeen: [] })),
      findings,
      declared: new Map(declared),
    };
  } finally {
    await project.close(true);
  }
}

async function listWith(
  orm: MikroORM,
  drafts: readonly Draft[],
): Promise<{ readonly name: string; readonly class: MigrationClass }[]> {
  const known = await Promise.all(
    (await migrationFiles(orm)).map(async (file) => ({
      name: file.name,
      class: classOf(await file.make()),
    })),
  );
  return [...known, ...drafts.map(({ name, content }) => ({ name, class: draftClass(content) }))];
}

function classOf(instance: Migration): MigrationClass {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM made the instance by it
  return instance.constructor as MigrationClass;
}

function draftClass({ apart = false, up, down, declared, lint = {} }: Content): MigrationClass {
  return migrationClass({
    transactional: !apart,
    up: up.statements.map(({ sql }) => sql),
    down: down.statements.map(({ sql }) => sql),
    declared: { ...declared, lint },
  });
}

/** Returns the declarations that a certificate confirms; all where it did not get that far. */
function seenIn({ loses, refuses }: Declared, certificate: Certificate | undefined): Declared {
  const unseen = new Set(certificate?.notSeen);
  return {
    loses: loses.filter((text) => !unseen.has(text)),
    refuses: refuses.filter((text) => !unseen.has(text)),
  };
}
