import { InvalidRowError } from '../../errors.ts';
import type { LoadColumn } from '../../loading/load-target.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { exactJson } from '../../json/exact-json.ts';
import { longestRow, tooLong } from './source.ts';

/**
 * The rows of a text with a JSON object on each line.
 *
 * @throws InvalidRowError on a line that is something else, an empty one too. A row's number is that of its line.
 */
export async function* jsonlRows(
  text: AsyncIterable<string>,
  columns: readonly LoadColumn[],
): AsyncGenerator<object> {
  const plain = columns.filter(({ type }) => type !== 'jsonb').map(({ property }) => property);
  let row = 0;
  for await (const line of lines(text)) {
    row += 1;
    yield rowOf(line, row, plain);
  }
}

function rowOf(line: string, row: number, plain: readonly string[]): object {
  const parsed = parse(line, row);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new InvalidRowError({ row, property: null }, 'is no JSON object');
  for (const property of plain) {
    const value: unknown = Reflect.get(parsed, property);
    // Outside of a document a number is what its column holds of it.
    if (isRawJSON(value)) Reflect.set(parsed, property, Number(JSON.stringify(value)));
  }
  return parsed;
}

function parse(line: string, row: number): unknown {
  try {
    return exactJson(line);
  } catch (cause) {
    throw new InvalidRowError({ row, property: null }, 'is no JSON', { cause });
  }
}

// Not `node:readline`: it also ends a line at U+2028, which JSON allows within one.
async function* lines(text: AsyncIterable<string>): AsyncGenerator<string> {
  let begun: string[] = [];
  let [row, length] = [1, 0];
  for await (const piece of text) {
    const [first = '', ...others] = piece.split('\n');
    begun.push(first);
    length += first.length;
    if (length > longestRow) throw new InvalidRowError({ row, property: null }, tooLong);
    if (others.length === 0) continue;
    row += others.length;
    length = others.at(-1)?.length ?? 0;
    yield begun.join('');
    begun = [others.pop() ?? ''];
    yield* others;
  }
  const last = begun.join('');
  if (last !== '') yield last;
}
