import { parsePlpgsqlBody } from '../sql/plpgsql/parse-body.ts';
import { parseSql } from '../sql/parse-sql.ts';
import { queriesIn } from '../sql/plpgsql/queries.ts';
import { scanSql } from '../sql/scan-sql.ts';
import { columnConditions, type ColumnCondition } from './conditions.ts';
import { isNode, isTree, literalsIn, referencesIn, stringOf, type Tree } from './trees.ts';

/** What SQL says about the values of columns, by their names. */
export class Harvest {
  /** Literals that stand beside a column. */
  readonly values = new Map<string, Set<string>>();
  /** Numbers that stand beside a column, which may be lengths. */
  readonly lengths = new Map<string, Set<number>>();
  /** Regular expressions and patterns of LIKE. */
  readonly patterns = new Map<string, Set<string>>();
  /** Paths of keys in a document. */
  readonly paths = new Map<string, (readonly string[])[]>();
  /** Conditions that one AND joins. */
  readonly conjunctions: (readonly ColumnCondition[])[] = [];
  /** Every name and word, in lower case. */
  readonly words = new Set<string>();
  /** The other name of a column that is renamed. */
  readonly renamed = new Map<string, string>();
  /** Whether it builds statements from texts, which may name any table. */
  isDynamic = false;

  /** Adds what statements say. */
  async addStatements(sql: string, columnsOf: (table: string) => readonly string[]): Promise<void> {
    await this.#addWords(sql);
    for (const { node } of (await parseSql(sql)) ?? []) await this.#visit(node, { columnsOf, tied: [] });
  }

  /** Adds what an expression says, such as that of a CHECK; `value` are the columns that `VALUE` stands for. */
  async addExpression(text: string, value: readonly string[] = []): Promise<void> {
    for (const { node } of (await parseSql(`select 1 where ${text}`)) ?? [])
      await this.#visit(node, { columnsOf: () => [], tied: value });
  }

  /** Adds the bounds of a partition: values of the columns that decide it. */
  async addBound(bound: string, columns: readonly string[]): Promise<void> {
    for (const { node } of (await parseSql(`alter table a attach partition b ${bound}`)) ?? [])
      this.#tie(node, columns);
  }

  /** Adds what the body of a function says. */
  async addBody(body: string, columnsOf: (table: string) => readonly string[]): Promise<void> {
    await this.#addWords(body);
    const parsed = await parsePlpgsqlBody(body);
    for (const query of queriesIn(parsed)) {
      const [, target, value] = /^([\w."]+)\s*:=\s*(.*)$/s.exec(query) ?? [];
      const tied = target === undefined ? [] : [target.split('.').at(-1) ?? target];
      const texts = [value === undefined ? query : `select ${value}`, `select ${query}`];
      for (const text of texts) {
        const statements = await parseSql(text);
        if (!statements) continue;
        for (const { node } of statements) await this.#visit(node, { columnsOf, tied });
        break;
      }
    }
    if (parsed === null)
      for (const { node } of (await parseSql(body)) ?? []) await this.#visit(node, { columnsOf, tied: [] });
  }

  async #addWords(sql: string): Promise<void> {
    for (const { text } of (await scanSql(sql)) ?? []) {
      const word = text.replaceAll(/^"|"$/g, '').replaceAll('""', '"').toLowerCase();
      if (word === 'execute') this.isDynamic = true;
      this.words.add(word);
      // The body of a function, or a text that becomes a statement.
      const [, quoted] = /^(?:'(.*)'|\$\w*\$.*\$\w*\$)$/s.exec(text) ?? [];
      if (text.startsWith('$') && text.length > 4)
        await this.#addWords(text.replace(/^\$\w*\$(.*)\$\w*\$$/s, '$1'));
      else if (quoted !== undefined && /\s/.test(quoted)) await this.#addWords(quoted.replaceAll("''", "'"));
    }
  }

  async #visit(tree: unknown, context: Context): Promise<void> {
    if (!isTree(tree)) return;
    if (Array.isArray(tree)) {
      for (const one of tree) await this.#visit(one, context);
      return;
    }
    const visitAll = (next = context): Promise<void> => this.#visit(Object.values(tree), next);
    if (isNode(tree, 'BoolExpr')) {
      const { boolop, args = [] } = tree.BoolExpr;
      if (boolop === 'AND_EXPR' && Array.isArray(args)) this.#addConjunction(args);
      return this.#visit(args, { ...context, tied: [] });
    }
    if (isNode(tree, 'UpdateStmt')) return this.#visitUpdate(tree.UpdateStmt, context);
    if (isNode(tree, 'InsertStmt')) return this.#visitInsert(tree.InsertStmt, context);
    if (isNode(tree, 'RenameStmt')) {
      const { renameType, subname, newname } = tree.RenameStmt;
      if (renameType !== 'OBJECT_COLUMN' || typeof subname !== 'string' || typeof newname !== 'string')
        return;
      this.renamed.set(subname, newname);
      this.renamed.set(newname, subname);
      return;
    }
    if (isNode(tree, 'DoStmt') || isNode(tree, 'CreateFunctionStmt')) {
      for (const body of literalsIn(tree)
        .map(({ text }) => text)
        .filter((text) => /\s/.test(text)))
        await this.addBody(body, context.columnsOf);
      return;
    }
    if (isNode(tree, 'ColumnDef')) {
      const name = stringOf(tree.ColumnDef['colname']);
      return visitAll(name === null ? context : { ...context, tied: [name] });
    }
    if (isNode(tree, 'AlterTableCmd')) {
      const { name, def } = tree.AlterTableCmd;
      const tied = typeof name === 'string' ? [name] : [];
      // An alteration's USING has the column's name in the command alone.
      return isTree(def) && 'ColumnDef' in def && isTree(def.ColumnDef)
        ? this.#visit(Object.values(def.ColumnDef), { ...context, tied })
        : this.#visit(def, { ...context, tied });
    }
    if (expressions.some((kind) => isNode(tree, kind))) {
      this.#tie(tree, context.tied);
      return this.#visit(Object.values(tree).flatMap(deeper), { ...context, tied: [] });
    }
    return visitAll();
  }

  async #visitUpdate(update: Tree, context: Context): Promise<void> {
    const { targetList, ...rest } = update;
    for (const target of Array.isArray(targetList) ? targetList : []) {
      if (!isNode(target, 'ResTarget')) continue;
      const name = stringOf(target.ResTarget['name']);
      await this.#visit(target.ResTarget['val'], { ...context, tied: name === null ? [] : [name] });
    }
    await this.#visit(Object.values(rest), { ...context, tied: [] });
  }

  async #visitInsert(insert: Tree, context: Context): Promise<void> {
    const { relation, cols, selectStmt } = insert;
    const named = (Array.isArray(cols) ? cols : []).flatMap((one: unknown) =>
      isNode(one, 'ResTarget') ? (stringOf(one.ResTarget['name']) ?? []) : [],
    );
    const table = isTree(relation) && !Array.isArray(relation) ? stringOf(relation['relname']) : null;
    const columns = named.length > 0 || table === null ? named : context.columnsOf(table);
    const select = isNode(selectStmt, 'SelectStmt') ? selectStmt.SelectStmt : null;
    for (const list of Array.isArray(select?.['valuesLists']) ? select['valuesLists'] : []) {
      const items = isNode(list, 'List') ? list.List['items'] : null;
      for (const [index, item] of (Array.isArray(items) ? items : []).entries()) {
        const column = columns[index];
        if (column !== undefined) this.#tie(item, [column]);
      }
    }
    await this.#visit(Object.values(insert), { ...context, tied: [] });
  }

  #tie(tree: unknown, tied: readonly string[]): void {
    const { columns, chains } = referencesIn(tree);
    for (const { column, path } of chains) add(this.paths, column, path);
    const literals = literalsIn(tree);
    if (literals.length === 0) return;
    for (const column of new Set([...columns, ...tied])) {
      for (const { text, isPattern, isNumber } of literals) {
        if (text.length > 2_000) continue;
        addTo(isPattern ? this.patterns : this.values, column, text);
        if (isNumber && /^\d{1,5}$/.test(text) && text !== '0') addTo(this.lengths, column, Number(text));
      }
    }
  }

  #addConjunction(args: readonly unknown[]): void {
    const conditions = args.flatMap((one) => columnConditions(one));
    if (conditions.length > 1) this.conjunctions.push(conditions);
  }
}

interface Context {
  readonly columnsOf: (table: string) => readonly string[];
  /** Columns that get the value of the expression. */
  readonly tied: readonly string[];
}

const expressions = [
  'A_Expr',
  'FuncCall',
  'CaseExpr',
  'CoalesceExpr',
  'MinMaxExpr',
  'TypeCast',
  'A_Const',
  'NullTest',
  'BooleanTest',
  'TypeName',
] as const;

// What stands deeper is tied with the whole expression; only subqueries and conditions are visited again.
function deeper(tree: unknown): unknown[] {
  if (!isTree(tree)) return [];
  if (Array.isArray(tree)) return tree.flatMap(deeper);
  if ('SelectStmt' in tree || 'BoolExpr' in tree) return [tree];
  return Object.values(tree).flatMap(deeper);
}

function addTo<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const set = map.get(key) ?? new Set<T>();
  map.set(key, set);
  set.add(value);
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key) ?? [];
  map.set(key, list);
  list.push(value);
}
