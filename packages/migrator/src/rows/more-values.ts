import { positions } from './conditions.ts';
import type { Harvest } from './harvest.ts';
import { textMatching } from './pattern.ts';
import { resolvedType, type Column, type TableCatalog } from './tables.ts';
import { isText } from './values.ts';

/** Returns values for a column that the SQL of a migration or of a check suggests, those first that it names. */
export function harvestedValues(tables: TableCatalog, column: Column, harvest: Harvest): string[] {
  const names = [column.name, harvest.renamed.get(column.name)].filter((name) => name !== undefined);
  const literals = names.flatMap((name) => [...(harvest.values.get(name) ?? [])]);
  const patterns = names.flatMap((name) => [...(harvest.patterns.get(name) ?? [])]);
  const lengths = names.flatMap((name) => [...(harvest.lengths.get(name) ?? [])]);
  const { type } = resolvedType(tables, column.type, column.modifier);
  if (!type) return [];
  if (type.isArray) {
    const quoted = literals.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
    return [...quoted.map((one) => `{${one}}`), ...quoted.map((one) => `{${one},${one}}`)];
  }
  if (type.base === 'json' || type.base === 'jsonb')
    return documentsFor(
      names.flatMap((name) => harvest.paths.get(name) ?? []),
      literals,
    );
  if (isText(type))
    return [
      ...literals,
      ...patterns.flatMap((pattern) => matching(pattern)),
      ...literals.flatMap(textsNear),
      ...[...new Set(lengths)].filter((length) => length <= 10_000).flatMap(textsOfLengths),
    ];
  if (/^(?:int|float|numeric|money)/.test(type.base))
    return literals.filter((text) => /^-?[\d.]+$/.test(text)).flatMap(numbersNear);
  if (/^(?:date|timestamp)/.test(type.base))
    return literals.filter((text) => /^\d{4}-\d\d-\d\d/.test(text)).flatMap(daysNear);
  return literals;
}

function matching(pattern: string): string[] {
  const likes = pattern.includes('%') || !/[\\^$[\](){}*+?|]/.test(pattern);
  const generated = likes ? [] : [0, 1, 5, 37].flatMap((variant) => textMatching(pattern, variant) ?? []);
  const filled = likes
    ? [pattern.replaceAll('%', '').replaceAll('_', 'x'), pattern.replaceAll('%', 'zz').replaceAll('_', 'y')]
    : [];
  return [...generated, ...filled];
}

function textsNear(text: string): string[] {
  if (text === '') return [];
  const isWord = /^[\p{L}\d _-]+$/u.test(text);
  return [
    ...(isWord ? [text.toUpperCase(), text.toLowerCase(), `${text} `, ` ${text}`] : []),
    `${text}2`,
    // Between two words, as separators are, and alone.
    `one${text}two`,
    `one${text}two${text}three`,
    `${text}x`,
    `x${text}`,
  ];
}

function textsOfLengths(length: number): string[] {
  return [length - 1, length, length + 1, Math.floor(length / 2) + 1, 2 * length + 5]
    .filter((one) => one >= 0)
    .map(positions);
}

function numbersNear(text: string): string[] {
  if (!/^-?\d{1,17}$/.test(text)) return [text];
  const number = BigInt(text);
  return [number, number - 1n, number + 1n].map(String);
}

function daysNear(text: string): string[] {
  const time = Date.parse(text.slice(0, 10));
  if (Number.isNaN(time)) return [text];
  const day = (by: number): string => new Date(time + by * 86_400_000).toISOString().slice(0, 10);
  return [text, day(-1), day(1)];
}

/** Returns documents in which each key that the SQL names is absent, null, of each kind, nested, and in an array. */
function documentsFor(chains: readonly (readonly string[])[], literals: readonly string[]): string[] {
  const keys = literals.filter((text) => /^[\w .:-]{1,60}$/.test(text));
  const paths = [
    ...chains,
    ...literals.filter(isPath).map((text) =>
      text
        .slice(1, -1)
        .split(',')
        .map((key) => key.trim()),
    ),
    ...keys.map((key) => [key]),
  ];
  const whole = literals.filter((text) => !isPath(text) && /^[[{]/.test(text));
  const distinct = [...new Map(paths.map((path) => [path.join('\0'), path])).values()].slice(0, 12);
  const scalars: unknown[] = [
    'text',
    null,
    '',
    0,
    1.5,
    true,
    {},
    [],
    [1, 2],
    { nested: 'text' },
    ...keys.slice(0, 6),
  ];
  const all = [
    ...distinct.map((path) => nest(path, 'text')),
    // All of them in one document, beside another key.
    ...(distinct.length > 1
      ? [Object.assign({ other: 'kept' }, ...distinct.map((path) => nest(path, `of ${path.join('.')}`)))]
      : []),
    ...distinct.flatMap((path) => [
      ...scalars.slice(1).map((value) => nest(path, value)),
      Object.assign({ other: 'kept' }, nest(path, 'text')),
      [nest(path, 'text'), nest(path, 2)],
    ]),
  ];
  return [...all.map((value) => JSON.stringify(value)), ...whole];
}

function isPath(text: string): boolean {
  return /^\{[^"{}]*\}$/.test(text);
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}
