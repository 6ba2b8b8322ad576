import { createHash, hash as hashOf, type Hash } from 'node:crypto';
import type { ColumnType, TargetTable } from '../target/target-table.ts';
import { quoted } from '../source/quoted.ts';

// Half of SHA-256, in hexadecimal digits.
const digits = 32;

// A longer value is not copied once more to be hashed.
const mostJoined = 100_000;

/** The digest of one row, over its values in one form on both sides and in the order of the columns, each behind its length. */
export function rowDigest(values: readonly (string | null)[]): string {
  let joined = '';
  let hash: Hash | undefined;
  for (const value of values) {
    joined += value === null ? 'n' : `${Buffer.byteLength(value)}:`;
    if (value === null) continue;
    if (value.length <= mostJoined) {
      joined += value;
      continue;
    }
    hash = (hash ?? createHash('sha256')).update(joined).update(value);
    joined = '';
  }
  const digest = hash ? hash.update(joined).digest('hex') : hashOf('sha256', joined, 'hex');
  return digest.slice(0, digits);
}

/** The digests of many rows, in whatever order they come. */
export class TableDigest {
  #first = 0n;
  #second = 0n;

  add(digest: string): void {
    this.#first += BigInt(`0x${digest.slice(0, digits / 2)}`);
    this.#second += BigInt(`0x${digest.slice(digits / 2)}`);
  }

  toString(): string {
    return digestText(this.#first, this.#second);
  }
}

/** What PostgreSQL's sums of both halves come to, as `TableDigest` writes it. */
export function digestText(first: bigint, second: bigint): string {
  return [first, second].map((sum) => BigInt.asUintN(64, sum).toString(16).padStart(16, '0')).join('');
}

/** A query for the keys of a table's rows, of all of them or of some, under their names, and for `digest`: what `rowDigest` makes of the same row. */
export function digestQuery({ name, columns, key }: TargetTable, where = ''): string {
  const values = columns.map(
    (column) => `${canonical[column.type](quoted(column.name))} as ${quoted(column.name)}`,
  );
  const parts = columns.map(({ name: column }) => {
    const value = `v.${quoted(column)}`;
    return `coalesce(octet_length(${value})::text || ':' || ${value}, 'n')`;
  });
  // Kept apart by the offset, since PostgreSQL would write out each document twice.
  return `select ${key.map((column) => `v.${quoted(column)}`).join(', ')}, left(encode(sha256(convert_to(${parts.join(' || ')}, 'UTF8')), 'hex'), ${digits}) as digest
    from (select ${values.join(', ')} from ${quoted(name)} ${where} offset 0) v`;
}

const canonical: Record<ColumnType, (column: string) => string> = {
  text: (column) => column,
  integer: (column) => `${column}::text`,
  json: (column) => `${column}::text`,
  double: (column) => `encode(float8send(${column}), 'hex')`,
  time: (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
};
