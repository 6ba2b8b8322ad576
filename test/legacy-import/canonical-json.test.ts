import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalJson, NotJsonError } from '../../src/legacy-import/conversion/canonical-json.ts';
import { TestDatabase } from '../../src/testing/index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.create();
  await database.orm.em.execute(`
    create function printed(document text) returns text language plpgsql as $$
      begin return document::jsonb::text; exception when invalid_text_representation then return null; end $$`);
});
afterAll(() => database.drop());

/** As PostgreSQL prints each document; null where it takes it for none. */
async function byPostgres(documents: readonly string[]): Promise<(string | null)[]> {
  const rows: { text: string | null }[] = await database.orm.em.execute(
    `select printed(d) as text from jsonb_array_elements_text(?::jsonb) with ordinality a (d, n) order by n`,
    [JSON.stringify(documents)],
  );
  return rows.map(({ text }) => text);
}

const digits = fc.stringMatching(/^\d{1,30}$/);
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits,
    fc.option(digits, { nil: null }),
    fc.option(fc.integer({ min: -60, max: 60 }), { nil: null }),
  )
  .map(([minus, whole, behind, power]) => {
    const leading = whole.replace(/^0+(?=\d)/, '');
    return `${minus}${leading}${behind === null ? '' : `.${behind}`}${power === null ? '' : `e${power}`}`;
  });
const string = fc
  .string({ unit: 'binary', maxLength: 12 })
  .map((text) => JSON.stringify(text.replaceAll('\0', '')));
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    number,
    string,
    fc.constantFrom('true', 'false', 'null', String.raw`"\u00e9\/\ud83d\ude00"`),
    fc.array(tie('value'), { maxLength: 4 }).map((elements) => `[${elements.join(' ,')}]`),
    fc
      .array(fc.tuple(string, tie('value')), { maxLength: 6 })
      .map((members) => `{${members.map(([key, member]) => `${key}\n: ${member}`).join(', ')}}`),
  ),
}));

test('documents are printed as PostgreSQL prints them', async () => {
  const documents = fc.sample(value, 2_000);

  expect(documents.map((document) => canonicalJson(document).text)).toEqual(await byPostgres(documents));
});

test("numbers at PostgreSQL's limits and objects with many keys are printed as PostgreSQL prints them", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`k${(index * 7_919) % 1_000}`, index]),
  );
  const documents = [
    '1e131071',
    '1e-16383',
    '-0.0',
    '0e99999999',
    '100e-2',
    '1.5e1',
    '0.10e-3',
    JSON.stringify(many),
  ];

  expect(documents.map((document) => canonicalJson(document).text)).toEqual(await byPostgres(documents));
});

test.for(['1e131072', '1e-16384', '1.0e-16383', '0e2147483640'])(
  '%s has more digits than PostgreSQL stores',
  async (document) => {
    expect(() => canonicalJson(document)).toThrow(NotJsonError);
    await expect(byPostgres([document])).rejects.toMatchObject({
      cause: { message: expect.stringContaining('overflows numeric format') },
    });
  },
);

test.for([
  '',
  ' ',
  '{',
  '[1,]',
  '{"a" 1}',
  '{"a":1,}',
  '01',
  '1.',
  '.5',
  '+1',
  '"\n"',
  String.raw`"\x"`,
  String.raw`"\u12g4"`,
  'nul',
  '1 2',
  "{'a':1}",
  '[1',
])('%j is not JSON', async (document) => {
  expect(() => canonicalJson(document)).toThrow(NotJsonError);
  expect(await byPostgres([document])).toEqual([null]);
});

test('a repeated key is reported, and its last value is kept', () => {
  expect(canonicalJson('{"a": {"b": 1, "c": 2, "b": 3}}')).toMatchObject({
    text: '{"a": {"b": 3, "c": 2}}',
    repeated: [{ path: '$.a.b', problem: 'is repeated' }],
  });
});

test('refuses a document that is nested too deep, without a stack overflow', () => {
  expect(() => canonicalJson('['.repeat(100_000))).toThrow('nested deeper');
});
