import type { Constraint } from '../../sql/grammar.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { UnknownError } from './precheck.ts';
import type { Part } from './part.ts';
import type { Relation } from './relation.ts';

/** A column as an earlier statement of the run leaves it: its value for each row of before, or why that is unknown. */
export type NewColumn = { readonly value: Part } | { readonly unknown: string };

/** The columns that one statement adds or converts. */
export type Layer = ReadonlyMap<string, NewColumn>;

/** A constraint that an earlier statement of the run adds without validating the rows. */
export interface NotValid {
  readonly constraint: Constraint;
  readonly source: SourceText;
}

/** What the statements so far change, so that the rows of before no longer answer a question. */
export class Changes {
  #everything: string | null = null;
  #untilEndOfMigration: string | null = null;
  /** Tables, types, functions and others that are created, changed, renamed or dropped, by name, with the reason. */
  readonly #names = new Map<string, string>();
  readonly #newTables = new Set<string>();
  readonly #deleted = new Map<string, string>();
  readonly #inserted = new Map<string, string>();
  readonly #layers = new Map<string, Layer[]>();
  readonly #notValid = new Map<string, NotValid>();
  readonly #enums = new Map<string, readonly string[]>();
  readonly #withCode = new Set<string>();
  readonly #cascades: (readonly [from: string, to: string])[] = [];

  /** Records that any row and any object may have changed. */
  changeEverything(reason: string): void {
    this.#everything ??= reason;
  }

  /** Records that the rest of the migration may mean something else. */
  changeMigration(reason: string): void {
    this.#untilEndOfMigration ??= reason;
  }

  endMigration(): void {
    this.#untilEndOfMigration = null;
  }

  /** Why nothing can be answered; null while something can. */
  get unknown(): string | null {
    return this.#everything ?? this.#untilEndOfMigration;
  }

  changeName(name: string, reason: string): void {
    this.#names.set(name, reason);
  }

  createTable(name: string, reason: string): void {
    this.#newTables.add(name);
    this.changeName(name, reason);
  }

  createEnum(name: string, labels: readonly string[], reason: string): void {
    if (!this.#names.has(name)) this.#enums.set(name, labels);
    this.changeName(name, reason);
  }

  /** Returns the labels of an enum that the run creates; null for any other type. */
  labelsOf(type: string): readonly string[] | null {
    return this.#enums.get(type) ?? null;
  }

  /** Whether a table is created in this run, so that it has no rows from before. */
  isNewTable(name: string): boolean {
    return this.#newTables.has(name);
  }

  changeRows(oid: string, reason: string): void {
    this.#deleted.set(oid, reason);
  }

  insertRows(oid: string, reason: string): void {
    this.#inserted.set(oid, reason);
  }

  addLayer(oid: string, layer: Layer): void {
    if (layer.size > 0) this.#layers.set(oid, [...this.layersOf(oid), layer]);
  }

  layersOf(oid: string): readonly Layer[] {
    return this.#layers.get(oid) ?? [];
  }

  /** Records code that runs when rows of a table change. */
  addCode(oid: string): void {
    this.#withCode.add(oid);
  }

  hasNewCode(oid: string): boolean {
    return this.#withCode.has(oid);
  }

  /** Records a foreign key that changes rows of `to` with those of `from`. */
  addCascade(from: string, to: string): void {
    this.#cascades.push([from, to]);
  }

  cascadesFrom(oid: string): string[] {
    return this.#cascades.flatMap(([from, to]) => (from === oid ? [to] : []));
  }

  addNotValid(owner: string, name: string, found: NotValid): void {
    this.#notValid.set(`${owner} ${name}`, found);
  }

  notValidOf(owner: string, name: string): NotValid | null {
    return this.#notValid.get(`${owner} ${name}`) ?? null;
  }

  /** @throws UnknownError when an earlier statement changes one of these names. */
  requireUnchanged(names: Iterable<string>): void {
    for (const name of names) {
      const reason = this.#names.get(name);
      if (reason !== undefined) throw new UnknownError(reason);
    }
  }

  /**
   * Requires that the rows of a table that existed before are still there, unchanged but for the layers.
   *
   * @throws UnknownError
   */
  requireRows({ oid, name, label, isReadable }: Relation): void {
    if (this.unknown !== null) throw new UnknownError(this.unknown);
    this.requireUnchanged([name]);
    const reason = this.#deleted.get(oid);
    if (reason !== undefined) throw new UnknownError(reason);
    if (!isReadable) throw new UnknownError(`this role can't read all rows of ${label}`);
  }

  /** Requires that no row was added either. @throws UnknownError */
  requireAllRows(relation: Relation): void {
    this.requireRows(relation);
    const reason = this.insertedInto(relation.oid);
    if (reason !== null) throw new UnknownError(reason);
  }

  /** Why a table may have more rows; null when it has none. */
  insertedInto(oid: string): string | null {
    return this.#inserted.get(oid) ?? null;
  }
}
