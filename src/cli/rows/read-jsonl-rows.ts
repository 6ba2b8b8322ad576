import { InvalidRowError } from '../../errors.ts';
import type { LoadColumn } from '../../loading/load/load-target.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import type { JsonReader } from './json-reader.ts';
import { maxRowSize, rowTooLong } from './source.ts';

/**
 * Yields the rows of JSON lines. The number of a row is that of its line.
 *
 * @throws InvalidRowError for the first line that is not a JSON object, such as an empty one.
 */
export async function* readJsonlRows(
  text: AsyncIterable<string>,
  columns: readonly LoadColumn[],
  json: JsonReader,
): AsyncGenerator<object> {
  const plain = columns.filter(({ type }) => type !== 'jsonb').map(({ property }) => property);
  let row = 0;
  for await (const line of lines(text)) {
    row += 1;
    yield rowOf(json.parse(line, { row, property: null }), row, plain);
  }
}

function rowOf(parsed: unknown, row: number, plain: readonly string[]): object {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new InvalidRowError({ row, property: null }, 'is not a JSON object');
  for (const property of plain) {
    const value: unknown = Reflect.get(parsed, property);
    // Outside of documents, numbers become JavaScript's.
    if (isRawJSON(value)) Reflect.set(parsed, property, Number(JSON.stringify(value)));
  }
  return parsed;
}

// `node:readline` would also split at U+2028, which JSON allows in strings.
async function* lines(text: AsyncIterable<string>): AsyncGenerator<string> {
  let partial: string[] = [];
  let [row, length] = [1, 0];
  for await (const chunk of text) {
    const [first = '', ...others] = chunk.split('\n');
    partial.push(first);
    length += first.length;
    if (length > maxRowSize) throw new InvalidRowError({ row, property: null }, rowTooLong);
    if (others.length === 0) continue;
    row += others.length;
    length = others.at(-1)?.length ?? 0;
    yield partial.join('');
    partial = [others.pop() ?? ''];
    yield* others;
  }
  const last = partial.join('');
  if (last !== '') yield last;
}
