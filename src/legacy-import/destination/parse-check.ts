/** A CHECK constraint that can be evaluated without PostgreSQL. */
export interface CheckRule {
  readonly name: string;
  /** Whether `value`, in the form that is sent to PostgreSQL, violates the constraint. For JSON, `value` is the kind of the document. */
  readonly isViolatedBy: (value: string) => boolean;
}

type Compiler = (...parts: string[]) => CheckRule['isViolatedBy'];

const float = String.raw`'?(-?[\d.]+)'?(?:::double precision)?`;

// The forms of CHECK constraints in the entities. The name of the column comes first in each.
const forms: readonly (readonly [RegExp, Compiler])[] = [
  [/^"?(\w+)"? <> ''$/, () => (value) => value === ''],
  // PostgreSQL's class has more white space; what it refuses beyond this is found when the row is written.
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

/** Parses a CHECK constraint into its column and rule; null for an unknown form, which only PostgreSQL evaluates. */
export function parseCheck(name: string, expression: unknown): { column: string; rule: CheckRule } | null {
  if (typeof expression !== 'string') return null;
  for (const [form, compile] of forms) {
    const [found, column, ...parts] = form.exec(expression) ?? [];
    if (found !== undefined && column !== undefined)
      return { column, rule: { name, isViolatedBy: compile(...parts) } };
  }
  return null;
}

/** Whether a text has more than `limit` code points, which PostgreSQL counts as characters. */
function longerThan(text: string, limit: number): boolean {
  return text.length > limit && (text.length > limit * 2 || Array.from(text).length > limit);
}
