const document = '{"": null, "\\u0001": [{"deep": [[]]}, 1e40, 0.1000, -0, "😀"], "n": 12345678901234567890}';

/** Values at the edge of what a type can hold, as PostgreSQL reads them. */
const byType: Readonly<Record<string, readonly string[]>> = {
  text: [' “Não\\sei” 😀\t\'"{NULL}\n', '', '😀'.repeat(30)],
  integer: ['2147483647', '0', '-2147483648'],
  'double precision': ['5e-324', '1', '0.1', '-1e308', '1e308', '0'],
  jsonb: [document, '[1e40]', '[[], {}]', '[null, {"text": "😀"}]', '{}', '[]'],
  'timestamp(6) with time zone': [
    '2026-12-31 23:59:59.999999+14',
    '0001-01-01 00:00:00.000001+00',
    'infinity',
    '-infinity',
  ],
  boolean: ['true', 'false'],
};

/** Values at the edge of what a column of this type can hold; its CHECKs may refuse some. */
export function edgeValues(type: string): readonly string[] {
  const values = byType[type];
  if (!values) throw new Error(`${type}: add values of this type to ${import.meta.filename}`);
  return values;
}
