/** The delimiters that are found out, the usual one first. */
export const delimiters = [',', ';', '\t', '|'] as const;

const names: Readonly<Record<string, string>> = { '\t': String.raw`\t` };

/** Returns a delimiter as it is given on the command line. */
export function delimiterName(delimiter: string): string {
  return names[delimiter] ?? delimiter;
}

/** Returns the delimiter that occurs most often in the first line of a text, outside quotes; a comma when none does. */
export function findDelimiter(line: string): string {
  const plain = line.replaceAll(/"(?:[^"]|"")*"?/g, '');
  const counts = delimiters.map((delimiter) => plain.split(delimiter).length - 1);
  return delimiters[counts.indexOf(Math.max(...counts))] ?? ',';
}

// The most that is read to find the end of a line.
const longestLine = 1_000_000;

/** A text whose beginning was read. */
export interface PeekedText {
  /** What `sep=` in the first line gives, as Excel writes and reads it, which is then left out; else null. */
  readonly declared: string | null;
  /** The line in which the delimiter is looked for. */
  readonly line: string;
  readonly text: AsyncIterable<string>;
  /** How many lines were left out. */
  readonly skipped: number;
}

/** Reads the first lines of a text: leaves out `sep=;`, and the lines before `headerLine`, from 1. */
export async function peek(chunks: AsyncIterable<string>, headerLine: number): Promise<PeekedText> {
  const iterator = chunks[Symbol.asyncIterator]();
  let [begin, isDone] = ['', false];
  const lineAt = async (start: number): Promise<number> => {
    for (;;) {
      const end = /\r\n|\n|\r(?=[^])/.exec(begin.slice(start));
      if (end) return start + end.index + end[0].length;
      if (isDone || begin.length - start > longestLine) return begin.length;
      const next = await iterator.next();
      if (next.done) isDone = true;
      else begin += next.value;
    }
  };
  let [start, skipped] = [0, 0];
  const first = await lineAt(0);
  const declared = /^sep=(.)\r?\n?$/.exec(begin.slice(0, first))?.[1] ?? null;
  if (declared !== null) [start, skipped] = [first, 1];
  while (skipped < headerLine - 1) [start, skipped] = [await lineAt(start), skipped + 1];
  const end = await lineAt(start);
  async function* rest(): AsyncGenerator<string> {
    try {
      if (begin.length > start) yield begin.slice(start);
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { declared, line: begin.slice(start, end).trimEnd(), text: rest(), skipped };
}
