import { textMatching } from './pattern.ts';
import { chainOf, columnOf, isNode, isTree, literalOf, operatorOf, type Tree } from './trees.ts';

/** A condition on one column, with values for which it is true and for which it is not. */
export interface ColumnCondition {
  readonly column: string;
  readonly holds: readonly (string | null)[];
  readonly fails: readonly (string | null)[];
}

/** Returns the conditions of one operand of an AND; none where values can't be derived. */
export function columnConditions(node: unknown): ColumnCondition[] {
  if (isNode(node, 'NullTest')) {
    const column = columnOf(node.NullTest['arg']);
    if (column === null) return [];
    const isNull = node.NullTest['nulltesttype'] === 'IS_NULL';
    return [{ column, holds: isNull ? [null] : [], fails: isNull ? [] : [null] }];
  }
  if (isNode(node, 'BoolExpr') && node.BoolExpr['boolop'] === 'NOT_EXPR') {
    const { args } = node.BoolExpr;
    return (Array.isArray(args) ? args : []).flatMap(columnConditions).map(({ column, holds, fails }) => ({
      column,
      holds: fails,
      fails: holds,
    }));
  }
  const column = columnOf(node);
  if (column !== null) return [{ column, holds: ['true'], fails: ['false'] }];
  return isNode(node, 'A_Expr') ? ofExpression(node.A_Expr) : [];
}

function ofExpression(expression: Tree): ColumnCondition[] {
  const { lexpr, rexpr } = expression;
  const swapped = subjectOf(lexpr) === null;
  const subject = subjectOf(swapped ? rexpr : lexpr);
  const constants = constantsOf(swapped ? lexpr : rexpr);
  if (!subject || constants.length === 0) return [];
  const operator = swapped
    ? (mirrored[operatorOf(expression)] ?? operatorOf(expression))
    : operatorOf(expression);
  const kind = typeof expression['kind'] === 'string' ? expression['kind'] : '';
  const { holds, fails } = valuesFor(kind, operator, constants);
  return [{ column: subject.column, holds: holds.map(subject.wrap), fails: fails.map(subject.wrap) }];
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' };

/** The column that an operand is about, and how a value of the operand becomes one of the column. */
interface Subject {
  readonly column: string;
  readonly wrap: (value: string) => string;
}

function subjectOf(node: unknown): Subject | null {
  const chain = chainOf(node);
  if (chain) {
    const { column, path } = chain;
    if (path.length === 0) return { column, wrap: (value) => value };
    return {
      column,
      wrap: (value) => JSON.stringify(path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)),
    };
  }
  if (!isNode(node, 'FuncCall')) return null;
  const { funcname, args } = node.FuncCall;
  const name: unknown = Array.isArray(funcname) ? funcname.at(-1) : null;
  const column = columnOf(Array.isArray(args) ? args[0] : null);
  if (column === null || !isNode(name, 'String')) return null;
  const called = name.String['sval'];
  if (called === 'length' || called === 'char_length' || called === 'octet_length')
    return { column, wrap: (value) => positions(Math.max(0, Math.min(10_000, Number(value) || 0))) };
  return called === 'lower' || called === 'upper' || called === 'btrim'
    ? { column, wrap: (value) => value }
    : null;
}

/** Returns a text of a length whose every position is different from the next ones, so that a cut is seen. */
export function positions(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, (_, index) => alphabet[(index + Math.floor(index / 36)) % 36]).join('');
}

function constantsOf(node: unknown): string[] {
  if (isNode(node, 'TypeCast')) return constantsOf(node.TypeCast['arg']);
  if (isNode(node, 'A_Const')) {
    const literal = literalOf(node.A_Const);
    return literal ? [literal.text] : [];
  }
  if (isNode(node, 'List')) return constantsOf(node.List['items']);
  if (isNode(node, 'A_ArrayExpr')) return constantsOf(node.A_ArrayExpr['elements']);
  return isTree(node) && Array.isArray(node) ? node.flatMap(constantsOf) : [];
}

function valuesFor(
  kind: string,
  operator: string,
  [first = '', ...more]: readonly string[],
): { readonly holds: string[]; readonly fails: string[] } {
  const next = (by: number): string => (/^-?\d+$/.test(first) ? String(BigInt(first) + BigInt(by)) : first);
  if (kind === 'AEXPR_BETWEEN') return { holds: [first, ...more], fails: [next(-1)] };
  if (/LIKE/.test(kind) || /^!?~/.test(operator)) {
    const matching = /LIKE/.test(kind)
      ? first.replaceAll('%', 'x').replaceAll('_', 'y')
      : (textMatching(first, 0) ?? first);
    const isNot = operator.startsWith('!');
    return { holds: isNot ? ['-'] : [matching], fails: isNot ? [matching] : ['-'] };
  }
  switch (operator) {
    case '<>':
      return { holds: kind === 'AEXPR_IN' ? [] : [next(1)], fails: [first] };
    case '<':
      return { holds: [next(-1)], fails: [first, next(1)] };
    case '<=':
      return { holds: [first, next(-1)], fails: [next(1)] };
    case '>':
      return { holds: [next(1)], fails: [first, next(-1)] };
    case '>=':
      return { holds: [first, next(1)], fails: [next(-1)] };
    default:
      return { holds: [first, ...more], fails: [next(1)].filter((value) => value !== first) };
  }
}
