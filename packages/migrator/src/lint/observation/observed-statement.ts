import type { Direction, LoadedMigration } from '../../files/code-migration.ts';
import type { Declaration } from '../../files/declarations.ts';
import type { Action } from '../../sql/statement-actions.ts';
import type { Held } from './finding.ts';
import { rank, strongest } from './locks.ts';
import type { ColumnState, Constraint, Index, Named, RelationState, Snapshot } from './snapshot.ts';

/** The error that the server refused a statement with. */
export interface Refusal {
  readonly state: string;
  readonly message: string;
}

/** What a direction of a migration is observed with. */
export interface ObservedMigration {
  readonly name: string;
  readonly direction: Direction;
  readonly transactional: boolean;
  readonly loses: readonly Declaration[];
  /** The schema before `up`: its tables existed before the migration. */
  readonly start: Snapshot;
  /** The schema at the end of the direction. */
  final: Snapshot;
}

export function observedMigration(
  { name, transactional }: LoadedMigration,
  direction: Direction,
  { loses, start }: { readonly loses: readonly Declaration[]; readonly start: Snapshot },
): ObservedMigration {
  return { name, direction, transactional, loses, start, final: start };
}

interface Observation {
  /** The number of the text that `addSql` added, from 1; null for what the code sent itself. */
  readonly number: number | null;
  readonly sql: string;
  readonly actions: readonly Action[];
  /** How many statements its text has. */
  readonly together: number;
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** The server's messages, from DEBUG1. */
  readonly messages: readonly string[];
  readonly refusal: Refusal | null;
  /** The tables that an UPDATE or DELETE reads as a whole, by their ids. */
  readonly scanned: readonly number[];
  /** The relations that its actions name, as the search path resolves them, by their names as written. */
  readonly named: ReadonlyMap<string, number>;
  /** New checks that PostgreSQL prints differently when they are created from what it printed. */
  readonly unsettled: ReadonlyMap<number, string>;
  /** Names in it that are longer than PostgreSQL stores. */
  readonly longNames: readonly string[];
  /** Whether it ran in a transaction. */
  readonly inTransaction: boolean;
}

/** A statement of a migration, and what the server did for it on a scratch database. */
export class ObservedStatement {
  readonly migration: ObservedMigration;
  readonly observation: Observation;

  constructor(migration: ObservedMigration, observation: Observation) {
    this.migration = migration;
    this.observation = observation;
  }

  actions<K extends Action['kind']>(...kinds: readonly K[]): Extract<Action, { kind: K }>[] {
    return this.observation.actions.filter((one): one is Extract<Action, { kind: K }> =>
      kinds.some((kind) => kind === one.kind),
    );
  }

  /** Whether a relation existed before the migration, and still does. */
  isExisting(oid: number): boolean {
    return this.migration.start.relations.has(oid);
  }

  /** Returns an existing relation by the name that a statement has; undefined for others. */
  existing(name: string): RelationState | undefined {
    const found = this.present(name);
    return found && this.isExisting(found.oid) ? found : undefined;
  }

  /** Returns a relation by the name that a statement has, as it is before the statement. */
  present(name: string): RelationState | undefined {
    return this.observation.before.relations.get(this.observation.named.get(name) ?? 0);
  }

  /** Returns a relation as it is named before the statement, or after it where it is new. */
  relation(oid: number): RelationState | undefined {
    return this.observation.before.relations.get(oid) ?? this.observation.after.relations.get(oid);
  }

  label(oid: number): string {
    return this.relation(oid)?.label ?? String(oid);
  }

  /** Returns the constraints that it adds to existing tables, of one of these types. */
  newConstraints(...types: readonly string[]): Constraint[] {
    const { before, after } = this.observation;
    const former = [...before.constraints.values()];
    return [...after.constraints.values()].filter(
      ({ oid, type, relation, name, definition }) =>
        !before.constraints.has(oid) &&
        types.includes(type) &&
        this.isExisting(relation) &&
        // A change of a column's type creates its constraints and indexes again.
        !former.some(
          (one) => one.relation === relation && one.name === name && one.definition === definition,
        ),
    );
  }

  /** Returns the indexes that it adds to existing tables, without those of constraints. */
  newIndexes(): Index[] {
    const { before, after } = this.observation;
    const former = [...before.indexes.values()];
    const ofConstraints = new Set([...after.constraints.values()].map(({ index }) => index));
    return [...after.indexes.values()].filter(
      ({ oid, relation, isOfPartition, label, definition }) =>
        !before.indexes.has(oid) &&
        !ofConstraints.has(oid) &&
        !isOfPartition &&
        this.isExisting(relation) &&
        !former.some((one) => one.label === label && one.definition === definition) &&
        this.wasBuilt(oid),
    );
  }

  /** Returns the indexes that it drops from existing tables that remain, without those of constraints. */
  droppedIndexes(): Index[] {
    const { before, after } = this.observation;
    const ofConstraints = new Set([...before.constraints.values()].map(({ index }) => index));
    return [...before.indexes.values()].filter(
      ({ oid, relation, columns, isOfPartition }) =>
        !after.indexes.has(oid) &&
        !isOfPartition &&
        !ofConstraints.has(oid) &&
        this.isExisting(relation) &&
        after.relations.has(relation) &&
        // It goes with its column.
        columns.every((number) => number === 0 || after.columns.has(`${relation}.${number}`)),
    );
  }

  /** Returns the columns of existing tables that it adds. */
  newColumns(): ColumnState[] {
    const { before, after } = this.observation;
    return [...after.columns]
      .filter(([key, { relation }]) => !before.columns.has(key) && this.isExisting(relation))
      .map(([, column]) => column);
  }

  /** Returns the columns of existing tables that it changes, before and after. */
  changedColumns(): { readonly was: ColumnState; readonly is: ColumnState }[] {
    const { before, after } = this.observation;
    return [...before.columns].flatMap(([key, was]) => {
      const is = after.columns.get(key);
      return is && this.isExisting(was.relation) ? [{ was, is }] : [];
    });
  }

  /** Returns the columns that it drops from tables that remain. */
  droppedColumns(): ColumnState[] {
    const { before, after } = this.observation;
    return [...before.columns]
      .filter(([key, { relation }]) => !after.columns.has(key) && after.relations.has(relation))
      .map(([, column]) => column);
  }

  /** Returns the relations of these kinds that it drops. */
  droppedRelations(...kinds: readonly string[]): RelationState[] {
    const { before, after } = this.observation;
    return [...before.relations.values()].filter(
      ({ oid, kind }) => kinds.includes(kind) && !after.relations.has(oid),
    );
  }

  /** Returns what has another name after it. */
  renamed<T extends Named>(part: (snapshot: Snapshot) => ReadonlyMap<number, T>): { was: T; is: T }[] {
    const { before, after } = this.observation;
    return [...part(before)].flatMap(([oid, was]) => {
      const is = part(after).get(oid);
      return is && is.label !== was.label ? [{ was, is }] : [];
    });
  }

  /** Whether the server built an index. That of a partitioned table consists of those of its partitions. */
  wasBuilt(index: number): boolean {
    const { name, kind } = this.relation(index) ?? {};
    if (kind === 'I') return this.isIndexed(this.observation.after.indexes.get(index)?.relation ?? 0);
    return this.#named(/^building index "(.*?)" on table "/s).includes(name ?? '');
  }

  isRewritten(table: number): boolean {
    return this.#names(table, /^rewriting table "(.*)"$/s);
  }

  /** Whether the server read all rows to verify them, while it held the table's lock. */
  isScanned(table: number): boolean {
    return this.#names(table, /^verifying table "(.*)"$/s);
  }

  isIndexed(table: number): boolean {
    return this.#names(table, /^building index ".*" on table "(.*?)"/s);
  }

  /** Whether the server compared all rows of a new foreign key. */
  isForeignKeyChecked({ name }: Constraint): boolean {
    return this.#named(/^validating foreign key constraint "(.*)"$/s).includes(name);
  }

  /** Returns the strongest lock on a table that its transaction holds after the statement; null for none. */
  lockOn(table: number): string | null {
    const { after, before } = this.observation;
    return strongest(
      [after, before].flatMap((snapshot) => [
        ...(snapshot.locks.get(table) ?? []),
        // A plan of any query of a table opens all its indexes, but no new one before the commit.
        ...[...snapshot.indexes.values()]
          .filter(({ oid, relation }) => relation === table && this.migration.start.indexes.has(oid))
          .flatMap(({ oid }) =>
            (snapshot.locks.get(oid) ?? []).filter((mode) => mode === 'AccessExclusiveLock'),
          ),
      ]),
    );
  }

  /** Returns the existing tables on which it takes a lock that stops writers, or a stronger one than before. */
  newlyBlocked(): number[] {
    const { before, after } = this.observation;
    return [...after.locks]
      .filter(([oid, modes]) => {
        const kind = this.relation(oid)?.kind ?? '';
        if (!this.isExisting(oid) || !['r', 'p', 'm', 'f'].includes(kind)) return false;
        const held = rank(strongest(before.locks.get(oid) ?? []));
        const now = rank(strongest(modes));
        return now > held && now >= rank('ShareLock');
      })
      .map(([oid]) => oid);
  }

  /** For how long the lock of a table is held by what the statement does. */
  held(table: number): Held {
    if (this.isRewritten(table)) return 'while the table is rewritten';
    const { before, after } = this.observation;
    // Those of a new table compare the rows that the migration itself inserts.
    const keys = [...after.constraints.values()].filter(
      ({ oid, relation, references, isValidated }) =>
        this.isExisting(relation) &&
        (relation === table || references === table) &&
        before.constraints.get(oid)?.isValidated !== isValidated,
    );
    if (keys.some((one) => this.isForeignKeyChecked(one))) return 'while the foreign key is checked';
    if (this.isScanned(table)) return 'while the table is scanned';
    if (this.isIndexed(table)) return 'while the index is built';
    if (this.observation.scanned.includes(table)) return 'while the rows are written';
    return 'briefly';
  }

  /** Returns the existing tables on which it does work that takes the longer the more rows they have. */
  workedOn(): number[] {
    const { after, before } = this.observation;
    return [...new Set([...before.relations.keys(), ...after.relations.keys()])].filter(
      (oid) =>
        ['r', 'p', 'm'].includes(this.relation(oid)?.kind ?? '') &&
        this.isExisting(oid) &&
        this.held(oid) !== 'briefly',
    );
  }

  #named(pattern: RegExp): string[] {
    return this.observation.messages.flatMap((message) => pattern.exec(message)?.[1] ?? []);
  }

  // The messages have no schemas: of two tables with one name, the locked one is meant.
  #names(table: number, pattern: RegExp): boolean {
    const name = this.relation(table)?.name ?? '';
    const isNamed = this.#named(pattern).includes(name) && this.lockOn(table) !== null;
    return isNamed || this.#partitionsOf(table).some((oid) => this.#names(oid, pattern));
  }

  #partitionsOf(table: number): number[] {
    return [...this.observation.after.relations.values()].flatMap(({ oid, parent }) =>
      parent === table ? [oid] : [],
    );
  }
}
