import type { Harvest } from './harvest.ts';
import { textMatching } from './pattern.ts';
import { resolvedType, type Column, type TableCatalog } from './tables.ts';
import { isText, lengthOf } from './values.ts';

/** Returns the value of a number, another one for each. */
export type Fresh = (number: number) => string;

const day = (number: number): string =>
  new Date(Date.UTC(2030, 0, 1) + number * 86_400_000).toISOString().slice(0, 10);

/** Returns ways to make values of a column that no other row has; the caller tests which of them its checks accept. */
export function freshValues(
  tables: TableCatalog,
  column: Column,
  harvest: Harvest,
  samples: readonly string[],
): Fresh[] {
  const { type, modifier } = resolvedType(tables, column.type, column.modifier);
  if (!type) return [];
  if (type.isArray) {
    const inner = freshValues(tables, { ...column, type: type.of ?? '', modifier }, harvest, []);
    return inner.map((fresh) => (number) => `{"${fresh(number)}"}`);
  }
  if (isText(type)) return texts(column, harvest, lengthOf(type, modifier), samples);
  const one = ofType[type.base];
  if (one) return one;
  const cycled = samples.length > 0 ? [(number: number) => samples[number % samples.length] ?? ''] : [];
  if (type.kind === 'r') {
    const bound = tables.types.get(type.of ?? '')?.base ?? '';
    if (/^(?:int|numeric)/.test(bound))
      return [(number) => `[${number * 10 + 1000},${number * 10 + 1005})`, ...cycled];
    if (/^(?:date|timestamp)/.test(bound))
      return [(number) => `[${day(number * 10)},${day(number * 10 + 5)})`, ...cycled];
  }
  return cycled;
}

const numbers: readonly Fresh[] = [
  (number) => String(1000 + number),
  (number) => String(number),
  (number) => String(10 + number),
  (number) => String(-1000 - number),
  (number) => String(number / 1000),
  (number) => String((number % 97) + 1),
];
const days: readonly Fresh[] = [
  day,
  (number) => new Date(Date.UTC(2000, 0, 1) + number * 86_400_000).toISOString().slice(0, 10),
  (number) => new Date(Date.UTC(2024, 0, 1) + (number % 360) * 86_400_000).toISOString().slice(0, 10),
];

const ofType: Readonly<Record<string, Fresh[]>> = {
  int2: [...numbers],
  int4: [...numbers],
  int8: [...numbers],
  numeric: [...numbers],
  float4: [...numbers],
  float8: [...numbers],
  money: [...numbers],
  oid: [...numbers],
  date: [...days],
  timestamp: [...days],
  timestamptz: days.map((one) => (number) => `${one(number)} 00:00:00+00`),
  time: [(number) => new Date(number * 1000).toISOString().slice(11, 19)],
  interval: [(number) => `${number} seconds`],
  uuid: [(number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`],
  bytea: [(number) => String.raw`\x` + number.toString(16).padStart(8, '0')],
  inet: [(number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`],
  macaddr: [
    (number) =>
      `08:00:2b:${[16, 8, 0].map((by) => ((number >> by) & 255).toString(16).padStart(2, '0')).join(':')}`,
  ],
  jsonb: [(number) => `{"n": ${number}}`],
  json: [(number) => `{"n": ${number}}`],
};

function texts(
  { name }: Column,
  harvest: Harvest,
  length: number | null,
  samples: readonly string[],
): Fresh[] {
  const patterns = [...(harvest.patterns.get(name) ?? [])].filter(
    (pattern) => textMatching(pattern, 1) !== null,
  );
  const [sample = ''] = samples;
  const all: Fresh[] = [
    (number) => `row-${number}`,
    (number) => `r${number.toString(36)}`,
    (number) => number.toString(36),
    ...patterns.map(
      (pattern): Fresh =>
        (number) =>
          textMatching(pattern, number) ?? '',
    ),
    (number) => `user${number}@example.com`,
    (number) => `https://example.com/${number}`,
    (number) => `${sample}${number}`,
    (number) => `${number}${sample}`,
    (number) => `K${number}`,
    (number) => number.toString(16).padStart(length ?? 8, '0'),
    (number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`,
    (number) => String.fromCodePoint(97 + (number % 26)),
    ...(samples.length > 0 ? [(number: number) => samples[number % samples.length] ?? ''] : []),
  ];
  return length === null ? all : all.filter((fresh) => fresh(6_000).length <= length);
}
