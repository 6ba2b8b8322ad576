import type { Check } from './catalog.ts';

/** What a column does and does not take because of a CHECK. */
export interface CheckValues {
  readonly column: string;
  readonly refused: readonly string[];
  readonly accepted: readonly string[];
}

const characters = ['x', 'ã', '😀'];

// The forms of rules, as PostgreSQL prints them, with the values on both sides of each.
const forms: readonly (readonly [
  RegExp,
  (parts: Readonly<Record<string, string>>) => Omit<CheckValues, 'column'>,
])[] = [
  [/^(?<column>\w+) <> ''::text$/, () => ({ refused: [''], accepted: [] })],
  [/^(?<column>\w+) ~ '\\S'::text$/, () => ({ refused: ['', ' ', ' \t\r\n'], accepted: [' .'] })],
  [
    /^char_length\((?<column>\w+)\) <= (?<most>\d+)$/,
    ({ most }) => ({
      refused: characters.map((character) => character.repeat(Number(most) + 1)),
      accepted: characters.map((character) => character.repeat(Number(most))),
    }),
  ],
  [
    /^(?<column>\w+) >= '0'::double precision AND \k<column> <= '(?<most>\d+)'::double precision$/,
    ({ most }) => ({
      refused: ['-0.01', `${most}.01`, 'NaN', 'Infinity', '-5e-324'],
      accepted: ['0', `${most}`],
    }),
  ],
  [
    /^(?<column>\w+) >= '0'::double precision$/,
    () => ({ refused: ['-0.01', '-5e-324'], accepted: ['0', '1e308'] }),
  ],
  [/^(?<column>\w+) >= 0$/, () => ({ refused: ['-1'], accepted: ['0'] })],
  [
    /^jsonb_typeof\((?<column>\w+)\) = '(?<kind>object|array)'::text$/,
    ({ kind }) => ({
      refused: ['null', '1', '"{}"', 'true', ...(kind === 'object' ? ['[]', '[{}]'] : ['{}', '{"0": []}'])],
      accepted: [kind === 'object' ? '{}' : '[]'],
    }),
  ],
  [
    /^(?<column>\w+) = ANY \(ARRAY\[(?<set>.*)\]\)$/,
    ({ set = '' }) => {
      const values = [...set.matchAll(/'((?:[^']|'')*)'::text/g)].map(([, value = '']) => value);
      const [first = ''] = values;
      return { refused: ['', 'unknown', `${first} `, first.toUpperCase()], accepted: values };
    },
  ],
];

/** Returns the values on both sides of a CHECK of one column; undefined for a rule of another form. */
export function checkValues({ rule }: Check): CheckValues | undefined {
  for (const [form, values] of forms) {
    const { groups } = form.exec(rule) ?? {};
    if (groups) return { column: groups['column'] ?? '', ...values(groups) };
  }
  return undefined;
}
