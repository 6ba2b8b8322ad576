import type { RefusalReason } from './refusal-reasons.ts';

/** How the migrator can send a statement. */
export type Mode = 'transactional' | 'statement by statement' | 'standalone';

/** A statement that a migration may hold. `{db}` stands for the name of its database, which is unique on the server. */
export interface Shape {
  readonly sql: string;
  /** Statements that are executed before any shape of the group. */
  readonly prepare?: readonly string[];
  /** Statements that remove an effect on the server whose name can't be unique. */
  readonly undo?: readonly string[];
  /** The oldest major version of PostgreSQL that has it. Default 14. */
  readonly since?: number;
  /** A setting of the server that it needs, which only a restart can change; or that no other session is in an open transaction. */
  readonly needs?: readonly [name: string, value: string];
  /** The SQLSTATE with which it fails everywhere. Default: it succeeds. */
  readonly fails?: string;
  /** Whether it needs an open transaction, so that psql gets one. */
  readonly inTransaction?: boolean;
  /** The modes in which the migrator, or the server, refuses it, and why. In all others, it has the effect that it has by psql. */
  readonly refused?: Partial<Record<Mode, RefusalReason>>;
}

/** A shape that has the same effect in every mode. */
export function anywhere(sql: string, ...prepare: string[]): Shape {
  return { sql, prepare };
}

/** A shape that runs only outside transactions. */
export function outside(sql: string, ...prepare: string[]): Shape {
  return { sql, prepare, refused: { transactional: 'outside' } };
}

/** A shape that no mode accepts. */
export function never(reason: RefusalReason, sql: string, ...prepare: string[]): Shape {
  return {
    sql,
    prepare,
    refused: { transactional: reason, 'statement by statement': reason, standalone: reason },
  };
}
