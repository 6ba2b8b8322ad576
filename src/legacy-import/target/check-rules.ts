/** A CHECK that can be held against a value before PostgreSQL does. */
export interface Rule {
  readonly name: string;
  /** Whether `value`, as PostgreSQL would be sent it, breaks the rule. For JSON it is asked of the kind of the document. */
  readonly broken: (value: string) => boolean;
}

type Reader = (...parts: string[]) => Rule['broken'];

const float = String.raw`'?(-?[\d.]+)'?(?:::double precision)?`;

// How the entities write their CHECKs. A column's name comes first everywhere.
const forms: readonly (readonly [RegExp, Reader])[] = [
  [/^"?(\w+)"? <> ''$/, () => (value) => value === ''],
  // PostgreSQL knows more white space than this; what it refuses beyond is found when it does.
  [/^"?(\w+)"? ~ '\\S'$/, () => (value) => /^[ \t\n\r\f\v]*$/.test(value)],
  [/^char_length\("?(\w+)"?\) <= (\d+)$/, (limit) => (value) => longerThan(value, Number(limit))],
  [/^jsonb_typeof\("?(\w+)"?\) = '(\w+)'$/, (kind) => (value) => value !== kind],
  [new RegExp(`^"?(\\w+)"? >= ${float}$`), (least) => (value) => Number(value) < Number(least)],
  [
    new RegExp(`^"?(\\w+)"? >= ${float} and "?\\w+"? <= ${float}$`),
    (least, most) => (value) => !(Number(value) >= Number(least) && Number(value) <= Number(most)),
  ],
  [
    /^"?(\w+)"? in \(('[^']*'(?:, '[^']*')*)\)$/,
    (list = '') => {
      const allowed = new Set(list.slice(1, -1).split("', '"));
      return (value) => !allowed.has(value);
    },
  ],
];

/** The column that a CHECK is about, and the rule; null for an expression of a form that is not known here, which PostgreSQL decides. */
export function readCheck(name: string, expression: unknown): { column: string; rule: Rule } | null {
  if (typeof expression !== 'string') return null;
  for (const [form, reader] of forms) {
    const [found, column, ...parts] = form.exec(expression) ?? [];
    if (found !== undefined && column !== undefined)
      return { column, rule: { name, broken: reader(...parts) } };
  }
  return null;
}

/** Whether a text has more than `limit` characters, which PostgreSQL counts as code points. */
function longerThan(text: string, limit: number): boolean {
  return text.length > limit && (text.length > limit * 2 || Array.from(text).length > limit);
}
