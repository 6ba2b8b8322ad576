import { MigrationRefusedError } from '../session/errors.ts';
import type { Session } from '../session/session.ts';
import { createdExtensions } from '../sql/created-extensions.ts';
import type { PendingStep } from './pending.ts';

/** What the server says of an extension that is not installed in the database. */
interface Missing {
  readonly name: string;
  readonly isAvailable: boolean;
  /** Whether any role that may create objects in the database may create it, and the connected one may not. */
  readonly needsCreate: boolean;
  readonly role: string;
  readonly database: string;
}

/**
 * Refuses steps that create an extension which the server does not have, or not for this role. What only a superuser may create is left to
 * the server: managed ones let other roles do so. Sends nothing where no step creates an extension.
 *
 * @throws MigrationRefusedError
 */
export async function refuseMissingExtensions(
  session: Session,
  steps: readonly PendingStep[],
): Promise<void> {
  const creating = new Map<string, string>();
  for (const { migration, direction, statements } of steps) {
    if (direction === 'down') continue;
    for (const sql of statements ?? (await migration.emit('up').catch(() => null)) ?? [])
      for (const extension of await createdExtensions(sql))
        if (!creating.has(extension)) creating.set(extension, migration.name);
  }
  if (creating.size === 0) return;
  const missing = await session.query<Missing>(missingQuery, [[...creating.keys()]]);
  const reasons = missing.flatMap((one) => {
    const reason = reasonOf(one);
    return reason === null ? [] : [`${creating.get(one.name)} creates the extension ${one.name}, ${reason}`];
  });
  if (reasons.length === 0) return;
  throw new MigrationRefusedError(`${reasons.join('\n')}\nNothing was applied.`);
}

function reasonOf({ isAvailable, needsCreate, role, database }: Missing): string | null {
  if (!isAvailable)
    return 'which this server does not have: install the package that has it there, and retry';
  if (!needsCreate) return null;
  return `which role ${role} may not create: grant create on database ${database} to ${role}, or create it as a superuser, and retry`;
}

const missingQuery = `
  select wanted.name, available.name is not null as "isAvailable", quote_ident(current_user) as role, quote_ident(current_database()) as database,
    coalesce(version.superuser and version.trusted and not rolsuper and not has_database_privilege(current_database(), 'create'), false)
      as "needsCreate"
  from unnest($1::text[]) wanted (name)
    join pg_roles on rolname = current_user
    left join pg_available_extensions available using (name)
    left join pg_available_extension_versions version on version.name = wanted.name and version.version = available.default_version
  where not exists (select from pg_extension where extname = wanted.name)`;
