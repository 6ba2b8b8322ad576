import type { EntityManager } from '@mikro-orm/postgresql';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import {
  InvalidLoadError,
  InvalidRowError,
  RefusedError,
  type DanglingReferenceError,
} from '../../errors.ts';
import { duplicateRules, loadModes, type LoadCounts, type LoadOptions } from './load-options.ts';
import { isUnique, describeTarget, type LoadColumn, type LoadTarget } from './load-target.ts';
import { ReferencedKeys } from './referenced-keys.ts';
import { RowEncoder } from './row-encoder.ts';
import { ConnectionSession, type LoadSession } from './load-session.ts';
import { buildStagedStatements, type StagedMode } from './build-staged-statements.ts';
import { toTemporaryTableError } from './to-temporary-table-error.ts';
import { LoadStaging, stagingTable } from './load-staging.ts';

/** One load. Sending and planning run the same statements. */
export class Load<E extends object> {
  readonly #options: LoadOptions<E>;
  readonly #target: LoadTarget;
  readonly #staging: LoadStaging;
  readonly #key: readonly LoadColumn[];
  readonly #keyIsUnique: boolean;
  readonly #references: ReferencedKeys;

  /** @throws InvalidLoadError when the options are invalid. */
  constructor(em: EntityManager, options: LoadOptions<E>) {
    const { entity, mode, key, onDuplicate } = options;
    if (!loadModes.includes(mode))
      throw new InvalidLoadError(`unknown mode "${mode}"; expected one of: ${loadModes.join(', ')}`);
    if (onDuplicate !== undefined && !duplicateRules.includes(onDuplicate))
      throw new InvalidLoadError(
        `unknown onDuplicate "${onDuplicate}"; expected one of: ${duplicateRules.join(', ')}`,
      );
    this.#options = options;
    const meta = em.getMetadata().find(entity);
    if (!meta)
      throw new InvalidLoadError(`${entity.name} is not an entity of this database; pass its entity class`);
    this.#target = describeTarget(em, meta);
    this.#staging = new LoadStaging(this.#target);
    this.#references = new ReferencedKeys(this.#target.columns, {
      skipsRows: mode === 'insert_missing' || mode === 'fill_null' || onDuplicate === 'last',
    });
    this.#key = keyColumns(this.#target, key);
    const names = this.#key.map(({ property }) => property);
    this.#keyIsUnique = isUnique(this.#target, names);
    if (!this.#keyIsUnique && mode !== 'delete_insert' && mode !== 'append') {
      const uniques = this.#target.uniques.map((unique) => `(${unique.join(', ')})`);
      throw new InvalidLoadError(
        `mode "${mode}" needs a unique key, and (${names.join(', ')}) is not unique in ${this.#target.entity}; unique: ${uniques.join(', ')}`,
      );
    }
  }

  /** Runs the load on the connection of `em`. */
  async send(em: EntityManager): Promise<LoadCounts> {
    try {
      return await this.run(new ConnectionSession(em));
    } catch (error) {
      throw this.#toLoadError(error, em);
    }
  }

  /** Returns an error of `send` with the row that it is about, where that is a row whose parent is missing. Call it after the rollback. */
  locate(error: DanglingReferenceError, em: EntityManager): Promise<DanglingReferenceError> {
    return this.#references.locate(error, em);
  }

  async run(session: LoadSession): Promise<LoadCounts> {
    const { mode, rows } = this.#options;
    const rules = {
      key: mode === 'append' ? [] : this.#key,
      insertable: mode !== 'fill_null',
      managed: mode === 'append' || mode === 'insert_missing' ? null : this.#target.version,
    };
    const encoder = new RowEncoder(this.#target, rules, this.#references);
    const counts = { inserted: 0, updated: 0, deleted: 0 };
    if (mode === 'append') {
      counts.inserted = await session.copy(
        this.#staging.appendStatement(),
        encoder,
        encoder.encode(rows, false),
      );
    } else {
      Object.assign(counts, await this.#runStaged(session, mode, encoder));
    }
    return { rows: encoder.count, ...counts, skipped: encoder.count - counts.inserted - counts.updated };
  }

  async #runStaged(
    session: LoadSession,
    mode: StagedMode,
    encoder: RowEncoder,
  ): Promise<Partial<LoadCounts>> {
    const { rows, onDuplicate = 'error' } = this.#options;
    const [target, staging, key] = [this.#target, this.#staging, this.#key];
    await session.run(staging.createStatement());
    for (const sql of mode === 'fill_null' ? staging.dropNotNullStatements(key) : []) await session.run(sql);
    await session.copy(staging.copyStatement(), encoder, encoder.encode(rows, true));
    if (this.#keyIsUnique && onDuplicate === 'error')
      this.#refuseDuplicate(await session.run(staging.duplicateQuery(key)));
    const incoming = staging.incomingRows(key, this.#keyIsUnique && onDuplicate === 'last' ? 'last' : 'all');
    const counts: Partial<LoadCounts> = {};
    for (const statement of buildStagedStatements(mode, { target, staging, key, incoming, encoder })) {
      Object.assign(counts, await session.run(statement));
    }
    await session.run(staging.dropStatement());
    return counts;
  }

  #refuseDuplicate({ first, last }: Readonly<Record<string, number>>): void {
    if (first === undefined || last === undefined) return;
    const property = this.#key.map((column) => column.property).join(', ');
    throw new InvalidRowError({ row: last, property }, `row ${first} has the same key`);
  }

  /** Returns the error with the name of the target table in place of the temporary one. */
  #toLoadError(thrown: unknown, em: EntityManager): unknown {
    // A row that can't be sent is refused on the client, not by PostgreSQL.
    if (thrown instanceof InvalidRowError) return thrown;
    const refused = thrown instanceof RefusedError && thrown.cause ? thrown.cause : thrown;
    const error = toDataError(refused, { [stagingTable]: this.#target.table });
    return toTemporaryTableError(thrown, em, 'or use mode "append"') ?? error;
  }
}

function keyColumns(
  { columns, primaryKey, entity }: LoadTarget,
  key?: readonly string[],
): readonly LoadColumn[] {
  if (key === undefined) return primaryKey;
  if (key.length === 0) throw new InvalidLoadError('key is empty; name at least one property');
  return key.map((name) => {
    const column = columns.find(({ property }) => property === name);
    if (column) return column;
    const names = columns.map(({ property }) => property).join(', ');
    throw new InvalidLoadError(`unknown property "${name}" in key; ${entity} has ${names}`);
  });
}
