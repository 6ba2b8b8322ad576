import { createHash, hash as hashOf, type Hash } from 'node:crypto';
import type { ColumnType, TargetTable } from '../destination/target-table.ts';
import { escapeIdentifier } from 'pg';

// The first half of SHA-256, in hexadecimal digits.
const digits = 32;

// Longer values are hashed without being copied first.
const maxJoined = 100_000;

/** Returns the digest of a row: of its canonical values in the order of the columns, each prefixed with its length. */
export function rowDigest(values: readonly (string | null)[]): string {
  let joined = '';
  let hash: Hash | undefined;
  for (const value of values) {
    joined += value === null ? 'n' : `${Buffer.byteLength(value)}:`;
    if (value === null) continue;
    if (value.length <= maxJoined) {
      joined += value;
      continue;
    }
    hash = (hash ?? createHash('sha256')).update(joined).update(value);
    joined = '';
  }
  const digest = hash ? hash.update(joined).digest('hex') : hashOf('sha256', joined, 'hex');
  return digest.slice(0, digits);
}

/** The digest of many rows, independent of their order. */
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

/** Formats the sums of both halves of the rows' digests as `TableDigest` does. */
export function digestText(first: bigint, second: bigint): string {
  return [first, second].map((sum) => BigInt.asUintN(64, sum).toString(16).padStart(16, '0')).join('');
}

/** Returns the query for the keys and the `digest` of a table's rows, which PostgreSQL computes as `rowDigest` does. */
export function buildDigestQuery({ name, columns, key }: TargetTable, where = ''): string {
  const values = columns.map(
    (column) =>
      `${canonical[column.type](escapeIdentifier(column.name))} as ${escapeIdentifier(column.name)}`,
  );
  const parts = columns.map(({ name: column }) => {
    const value = `v.${escapeIdentifier(column)}`;
    return `coalesce(octet_length(${value})::text || ':' || ${value}, 'n')`;
  });
  // `offset 0` is an optimization fence: without it PostgreSQL would serialize each document twice.
  return `select ${key.map((column) => `v.${escapeIdentifier(column)}`).join(', ')}, left(encode(sha256(convert_to(${parts.join(' || ')}, 'UTF8')), 'hex'), ${digits}) as digest
    from (select ${values.join(', ')} from ${escapeIdentifier(name)} ${where} offset 0) v`;
}

const canonical: Record<ColumnType, (column: string) => string> = {
  text: (column) => column,
  integer: (column) => `${column}::text`,
  json: (column) => `${column}::text`,
  double: (column) => `encode(float8send(${column}), 'hex')`,
  time: (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
};
