/** A table, column or native enum under another name: `authors`, `authors.name`, `shop.books`, `shop.books.title`. */
export interface Rename {
  /** Its name in the migrations. */
  readonly from: string;
  /** Its name in the entities; that of a column may be given without its table. */
  readonly to: string;
}

/** What a created migration may do with values. */
export interface Decisions {
  /**
   * What has another name in the entities. Its values, indexes, constraints and sequences stay, under the names that the entities use.
   * Columns need the same type on both sides, apart from its length or precision. Nothing is regarded as renamed that is not listed here.
   */
  readonly renames?: readonly Rename[] | undefined;
  /**
   * What the migration may drop: tables and columns with their values, by their names in the migrations, and what an entity may have
   * described in the past: views, functions, native enums, and indexes, constraints, policies or `row security` of a table, as
   * `books.books_by_year`.
   */
  readonly drops?: readonly string[] | undefined;
  /**
   * Columns whose values the migration may change to fit another type, such as `books.price`. For other columns, `up` fails on rows
   * whose value would change.
   */
  readonly lossy?: readonly string[] | undefined;
}
