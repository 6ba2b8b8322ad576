import { positions } from './conditions.ts';
import type { TableCatalog, ValueType } from './tables.ts';
import { resolvedType } from './tables.ts';

const integers = (min: string, max: string): string[] => [
  '1',
  '0',
  '-1',
  '2',
  '7',
  '42',
  '100',
  '1000',
  max,
  min,
];

const moments = [
  '2024-02-29',
  '2020-01-15',
  '1999-12-31',
  '1970-01-01',
  '0001-01-01',
  '9999-12-31',
  '2021-07-04',
];

/** Values of each type, in the texts that PostgreSQL reads: first a plain one, then those at a boundary. */
const valuesOf: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: integers('-32768', '32767'),
  int4: integers('-2147483648', '2147483647'),
  int8: [...integers('-9223372036854775808', '9223372036854775807'), '2147483648', '4294967296'],
  numeric: ['1.25', '0', '-1.5', '0.005', '1.005', '99.99', '1000000', '123456789012345.678901234', 'NaN'],
  float4: ['1.5', '0', '-1.25', '0.1', '1e30', 'Infinity', 'NaN'],
  float8: ['1.5', '0', '-1.25', '0.1', '1', '0.3333333333333333', '1e300', '100', 'Infinity', 'NaN'],
  money: ['1.25', '0', '-3.50', '1000000.01'],
  date: [...moments, 'infinity'],
  timestamp: [
    ...moments.map((day) => `${day} 12:34:56.789012`),
    '2024-01-01 00:00:00',
    '2024-12-31 23:59:59.999999',
  ],
  timestamptz: [
    ...moments.map((day) => `${day} 12:34:56.789012+00`),
    '2024-01-01 00:00:00+00',
    '2024-12-31 23:59:59.999999+00',
    '2024-03-31 01:30:00+00',
  ],
  time: ['12:34:56.789012', '00:00:00', '23:59:59.999999', '09:30:00'],
  timetz: ['12:34:56.789012+02', '00:00:00+00', '23:59:59.999999-05:30'],
  interval: ['1 day', '0', '1 mon', '-3 days 04:05:06.789', '1 year 2 mons 3 days 04:05:06', '36:00:00'],
  uuid: [
    '123e4567-e89b-42d3-a456-426614174000',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ],
  bytea: [String.raw`\x6162`, String.raw`\x`, String.raw`\x00ff00`, String.raw`\xdeadbeef`],
  xml: ['<a>1</a>', '<a b="c"/>'],
  inet: ['192.168.1.10', '10.0.0.0/8', '::1', '2001:db8::/32'],
  cidr: ['192.168.1.0/24', '10.0.0.0/8', '2001:db8::/32'],
  macaddr: ['08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  point: ['(1,2)', '(-1.5,0)'],
  line: ['{1,2,3}'],
  lseg: ['[(0,0),(1,1)]'],
  box: ['(1,1),(0,0)'],
  path: ['[(0,0),(1,1)]', '((0,0),(1,1),(2,0))'],
  polygon: ['((0,0),(1,1),(2,0))'],
  circle: ['<(0,0),1>'],
  tsvector: [`'plain' 'words'`, `'a':1 'b':2`],
  tsquery: [`'a' & 'b'`],
  oid: ['1', '0', '4294967295'],
  pg_lsn: ['0/0', '16/B374D848'],
  char: ['a', 'z'],
  hstore: ['"a"=>"1"', '"a"=>NULL', ''],
  ltree: ['a.b.c', 'a'],
};

/** Texts: plain, empty, with spaces, cases, quotes and separators, that look like other types, and long. */
const texts = [
  'plain',
  '',
  ' ',
  ' lead',
  'trail ',
  'MiXed Case',
  'ünïcödé ß 漢字',
  "O'Brien",
  'a,b;c|d',
  'First Last',
  '42',
  '007',
  '-1.50',
  'true',
  'null',
  '2020-01-15',
  'user@example.com',
  '{"a": 1}',
  '{1,2}',
  'line\nbreak',
];

const documents = [
  '{"a": 1, "b": "two"}',
  '{}',
  '[]',
  '[1, "two", null]',
  'null',
  '"text"',
  '1.50',
  'true',
  '{"a": null}',
  '{"a": {"b": {"c": [1, 2]}}}',
];

/** Returns values of a type, the plain one first; none for a type that is not known. */
export function plainValues(tables: TableCatalog, oid: string, modifier: number, depth = 0): string[] {
  const { type, modifier: found } = resolvedType(tables, oid, modifier);
  if (!type || depth > 3) return [];
  if (type.kind === 'e') return [...type.labels];
  if (type.isArray) return arraysOf(plainValues(tables, type.of ?? '', found, depth + 1));
  if (type.kind === 'r') return rangesOf(plainValues(tables, type.of ?? '', -1, depth + 1), type);
  if (type.kind === 'm')
    return [
      '{}',
      ...rangesOf(plainValues(tables, type.of ?? '', -1, depth + 1), type).map((one) => `{${one}}`),
    ].toReversed();
  if (type.kind === 'c') return compositesOf(tables, type, depth);
  if (isText(type)) return textsUpTo(lengthOf(type, found));
  if (type.base === 'json' || type.base === 'jsonb')
    return type.base === 'json' ? [...documents, '{"b":1,  "a":2}'] : documents;
  if (type.base === 'numeric' && found >= 4) return numericsOf(found);
  if (type.base === 'bit' || type.base === 'varbit') {
    const length = Math.max(found, 1);
    return ['10'.repeat(length).slice(0, length), '0'.repeat(length), '1'.repeat(length)];
  }
  return [...(valuesOf[type.base] ?? [])];
}

/** Whether a type holds text. */
export function isText({ base }: ValueType): boolean {
  return ['text', 'varchar', 'bpchar', 'citext', 'name'].includes(base);
}

/** Returns how many characters a type of text holds; null without a limit. */
export function lengthOf(type: ValueType, modifier: number): number | null {
  if (type.base === 'name') return 63;
  return modifier >= 4 && isText(type) ? modifier - 4 : null;
}

function textsUpTo(length: number | null): string[] {
  if (length === null) return [...texts, positions(300)];
  return [
    ...texts.filter((text) => text.length <= length),
    positions(length),
    positions(Math.max(length - 1, 0)),
  ];
}

// The modifier has the precision and the scale, plus the size of a header.
function numericsOf(modifier: number): string[] {
  const precision = ((modifier - 4) >> 16) & 65_535;
  const scale = (modifier - 4) & 2_047;
  const whole = '9'.repeat(Math.max(precision - scale, 1));
  const fraction = scale > 0 && scale < 100 ? `.${'9'.repeat(scale)}` : '';
  return ['1.25', '0', '-1.5', '0.005', '1.005', '12', `${whole}${fraction}`, `-${whole}${fraction}`, whole];
}

function arraysOf(elements: readonly string[]): string[] {
  const quoted = elements.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);
  const [first = '""', second = first] = quoted;
  return [
    `{${[first, second].join(',')}}`,
    '{}',
    `{${first}}`,
    `{${[second, first, first].join(',')}}`,
    '{NULL}',
    `{${quoted.slice(0, 8).join(',')}}`,
  ];
}

function rangesOf(bounds: readonly string[], { base }: ValueType): string[] {
  const sorted = /^(?:int|num)/.test(base)
    ? ['1', '10', '100']
    : bounds.filter((bound) => /^\d{4}-/.test(bound)).toSorted();
  const [low = bounds[0] ?? '', high = bounds[1] ?? low, higher = high] = sorted;
  return [
    `[${low},${high})`,
    'empty',
    `(${low},${high}]`,
    `[${low},)`,
    `(,${higher})`,
    '(,)',
    `[${low},${low}]`,
  ];
}

function compositesOf(tables: TableCatalog, { fields }: ValueType, depth: number): string[] {
  const values = fields.map((oid) => plainValues(tables, oid, -1, depth + 1));
  const rowOf = (index: number): string =>
    `(${values
      .map((some) => some[index % Math.max(some.length, 1)])
      .map((text) => (text === undefined ? '' : `"${text.replaceAll(/["\\]/g, '$&$&')}"`))
      .join(',')})`;
  return [rowOf(0), rowOf(1), rowOf(2), `(${fields.map(() => '').join(',')})`];
}
