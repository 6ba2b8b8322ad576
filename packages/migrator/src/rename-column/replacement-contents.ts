import type { Contents, ScratchSchema } from '../create/contents.ts';
import type { Decisions, Rename } from '../create/decisions.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { contractContent } from './contract.ts';
import { expandContent } from './expand.ts';

/** A part of the rename of a column, and what is refused together with it. */
export interface ReplacementRequest extends Decisions {
  readonly renameColumn?: Rename | undefined;
  readonly contract?: string | undefined;
}

/**
 * Returns the migration that is one part of the rename of a column; null where none is requested.
 *
 * @throws MigrationRefusedError when it can't be written, or is requested together with other changes.
 */
export async function replacementContents(
  scratch: ScratchSchema,
  { renameColumn, contract, renames = [], drops = [], lossy = [] }: ReplacementRequest,
): Promise<Contents | null> {
  if (renameColumn === undefined && contract === undefined) return null;
  if (renameColumn !== undefined && contract !== undefined)
    throw new MigrationRefusedError(
      '--rename-column and --contract are two migrations of two releases: create one of them',
    );
  if (renames.length + drops.length + lossy.length > 0)
    throw new MigrationRefusedError(
      `${renameColumn ? '--rename-column' : '--contract'} writes nothing else: create another migration with --rename, --drop and --lossy`,
    );
  const content = renameColumn
    ? await expandContent(scratch, renameColumn)
    : await contractContent(scratch, contract ?? '');
  return { migrations: [content], kept: [] };
}
