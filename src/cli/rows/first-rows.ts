import { dim, print, table } from 'mikro-orm-safe-migrations/cli';

const most = 5;
const longest = 32;

/** Keeps the first rows of a file, to show them as they were understood. */
export class FirstRows {
  readonly rows: object[] = [];

  /** Yields the rows unchanged. */
  async *keep(rows: AsyncIterable<object>): AsyncGenerator<object> {
    for await (const row of rows) {
      if (this.rows.length < most) this.rows.push(row);
      yield row;
    }
  }

  /** Prints the rows, a column for each property. */
  print(): void {
    const names = [...new Set(this.rows.flatMap((row) => Object.keys(row)))];
    if (names.length === 0) return;
    print('The first rows, as they were understood:');
    print(
      table(
        names,
        this.rows.map((row) => names.map((name) => shown(Reflect.get(row, name)))),
      ),
    );
  }
}

function shown(value: unknown): string {
  const text = value == null ? dim('null') : JSON.stringify(value);
  return value != null && text.length > longest ? `${text.slice(0, longest)}…` : text;
}
