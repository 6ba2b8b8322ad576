import type { EntityManager } from '@mikro-orm/postgresql';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { InvalidLoadError, InvalidRowError, RefusedError } from '../errors.ts';
import { duplicateRules, loadModes, type LoadCounts, type LoadOptions } from './load-options.ts';
import { isUnique, loadTarget, type LoadColumn, type LoadTarget } from './load-target.ts';
import { RowsToCopy } from './rows-to-copy.ts';
import { SendingSession, type Session } from './session.ts';
import { stagedStatements, type StagedMode } from './staged-statements.ts';
import { temporaryTablesDenied } from './temporary-tables-denied.ts';
import { Staging, stagingTable } from './staging.ts';

/** One load, as it is sent or planned: both run the same statements. */
export class Load<E extends object> {
  readonly #options: LoadOptions<E>;
  readonly #target: LoadTarget;
  readonly #staging: Staging;
  readonly #key: readonly LoadColumn[];
  readonly #keyIsUnique: boolean;

  /** @throws InvalidLoadError */
  constructor(em: EntityManager, options: LoadOptions<E>) {
    const { entity, mode, key, onDuplicate } = options;
    if (!loadModes.includes(mode))
      throw new InvalidLoadError(`"${mode}" is no mode; there are ${loadModes.join(', ')}`);
    if (onDuplicate !== undefined && !duplicateRules.includes(onDuplicate))
      throw new InvalidLoadError(
        `"${onDuplicate}" is no \`onDuplicate\`; there are ${duplicateRules.join(', ')}`,
      );
    this.#options = options;
    const meta = em.getMetadata().find(entity);
    if (!meta) throw new InvalidLoadError(`${entity.name} is no entity of this database`);
    this.#target = loadTarget(em, meta);
    this.#staging = new Staging(this.#target);
    this.#key = keyColumns(this.#target, key);
    const names = this.#key.map(({ property }) => property);
    this.#keyIsUnique = isUnique(this.#target, names);
    if (!this.#keyIsUnique && mode !== 'delete_insert' && mode !== 'append') {
      const uniques = this.#target.uniques.map((unique) => `(${unique.join(', ')})`);
      throw new InvalidLoadError(
        `(${names.join(', ')}) is not unique in ${this.#target.entity}, as \`${mode}\` needs it; unique are ${uniques.join(', ')}`,
      );
    }
  }

  /** Runs it on the connection of `em`. */
  async send(em: EntityManager): Promise<LoadCounts> {
    try {
      return await this.run(new SendingSession(em));
    } catch (error) {
      throw this.#told(error, em);
    }
  }

  async run(session: Session): Promise<LoadCounts> {
    const { mode, rows } = this.#options;
    const copied = new RowsToCopy(this.#target, {
      key: mode === 'append' ? [] : this.#key,
      complete: mode !== 'fill_null',
      kept: mode === 'append' || mode === 'insert_missing' ? null : this.#target.version,
    });
    const counts = { inserted: 0, updated: 0, deleted: 0 };
    if (mode === 'append') {
      counts.inserted = await session.copy(this.#staging.append(), copied, copied.pieces(rows, false));
    } else {
      Object.assign(counts, await this.#runStaged(session, mode, copied));
    }
    return { rows: copied.count, ...counts, skipped: copied.count - counts.inserted - counts.updated };
  }

  async #runStaged(session: Session, mode: StagedMode, copied: RowsToCopy): Promise<Partial<LoadCounts>> {
    const { rows, onDuplicate = 'error' } = this.#options;
    const [target, staging, key] = [this.#target, this.#staging, this.#key];
    await session.run(staging.create());
    for (const sql of mode === 'fill_null' ? staging.allowNulls(key) : []) await session.run(sql);
    await session.copy(staging.copy(), copied, copied.pieces(rows, true));
    if (this.#keyIsUnique && onDuplicate === 'error') this.#refuse(await session.run(staging.duplicate(key)));
    const incoming = staging.rows(key, this.#keyIsUnique && onDuplicate === 'last' ? 'last' : 'all');
    const counts: Partial<LoadCounts> = {};
    for (const statement of stagedStatements(mode, { target, staging, key, incoming, copied })) {
      Object.assign(counts, await session.run(statement));
    }
    await session.run(staging.drop());
    return counts;
  }

  #refuse({ first, last }: Readonly<Record<string, number>>): void {
    if (first === undefined || last === undefined) return;
    const property = this.#key.map((column) => column.property).join(', ');
    throw new InvalidRowError({ row: last, property }, `row ${first} has the same key`);
  }

  /** The error in words of the table that was loaded into, not of the one that the rows went through. */
  #told(thrown: unknown, em: EntityManager): unknown {
    // A row that can't be sent is refused before PostgreSQL says anything.
    if (thrown instanceof InvalidRowError) return thrown;
    const refused = thrown instanceof RefusedError && thrown.cause ? thrown.cause : thrown;
    const error = toDataError(refused, { [stagingTable]: this.#target.table });
    return temporaryTablesDenied(thrown, em, 'or use `append`') ?? error;
  }
}

function keyColumns(
  { columns, primaryKey, entity }: LoadTarget,
  key?: readonly string[],
): readonly LoadColumn[] {
  if (key === undefined) return primaryKey;
  if (key.length === 0) throw new InvalidLoadError('the key names no property');
  return key.map((name) => {
    const column = columns.find(({ property }) => property === name);
    if (column) return column;
    const names = columns.map(({ property }) => property).join(', ');
    throw new InvalidLoadError(`the key names "${name}", which is no property of ${entity}; it has ${names}`);
  });
}
