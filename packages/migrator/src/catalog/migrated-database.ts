import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratorTables } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { restorableDifferences } from './restorable-differences.ts';
import { readCatalog, type Catalog } from './catalog.ts';
import type { IgnoredObjects } from './ignored-objects.ts';
import { poolSession } from '../session/session.ts';
import type { ServerGuard } from './server-guard.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';

/** A database with its ORM, and how to migrate a scratch database like it. */
export interface MigratedDatabase {
  readonly orm: MikroORM;
  readonly schema: string;
  readonly tables: MigratorTables;
  readonly ignored: IgnoredObjects;
  /** The server of scratch databases; undefined for that of the connected one. */
  readonly scratchUrl: string | undefined;
  /** Returns the migrator of a scratch database, which reports its events to the guard. */
  readonly migratorFor: (scratch: MikroORM, guard?: EventFollower) => ScratchMigrator;
}

/** Receives the events of a migrator: which migration runs, and its statements. */
interface EventFollower {
  follow(event: {
    readonly kind: string;
    readonly name?: string;
    readonly sql?: string;
    readonly number?: number;
  }): void;
}

/** A scratch database, and what keeps it from changing its server. */
export interface Scratch {
  readonly scratch: MikroORM;
  readonly guard: ServerGuard;
}

/** Migrates a scratch database. */
interface ScratchMigrator {
  up(request: UpRequest): Promise<unknown>;
  down(request: DownRequest): Promise<unknown>;
  /** Applies migrations in this order, without checks. `countsRows`: reads rows before as `up` does, and refuses none. */
  repeat(names: readonly string[], options?: { readonly countsRows?: boolean }): Promise<unknown>;
}

/** Returns the differences between a catalog and that of a scratch database after these migrations, applied in this order. */
export async function differencesAfter(
  { schema, migratorFor, ignored }: MigratedDatabase,
  { scratch, guard }: Scratch,
  names: readonly string[],
  found: Catalog,
): Promise<readonly Difference[]> {
  if (names.length > 0) await migratorFor(scratch, guard).repeat(names);
  const expected = await readCatalog(scratch, schema);
  const differing = differences(ignored.without(expected), ignored.without(found)).filter(
    ({ object }) => !guard.leftOutExtensions.has(object),
  );
  return withoutMissingRoles(scratch, await restorableDifferences(scratch, schema, found, differing));
}

// Another server may lack the roles that have privileges here.
async function withoutMissingRoles(
  scratch: MikroORM,
  differing: readonly Difference[],
): Promise<readonly Difference[]> {
  const roles = differing.flatMap((one) => roleOf(one) ?? []);
  if (roles.length === 0) return differing;
  const missing = await poolSession(scratch).query<{ name: string }>(
    'select name from unnest($1::text[]) name where not exists (select from pg_roles where rolname = name)',
    [roles],
  );
  const names = new Set(missing.map(({ name }) => name));
  return differing.filter((one) => !names.has(roleOf(one) ?? ''));
}

function roleOf({ fact }: Difference): string | undefined {
  return /^privilege \S+ of (?!public$|its owner$)(.*)$/s.exec(fact ?? '')?.[1];
}
