import type { Node, RangeVar } from 'libpg-query';
import { parseSql } from './parse-sql.ts';

/** A statement whose effect on its session can't be undone. */
export interface LastingEffect {
  readonly text: string;
  /** What it does, and what to do instead. */
  readonly reason: string;
}

// A text without any of these words is not parsed: it may have a million values.
const suspicious = /\b(?:load|deallocate)\b/i;

/** Returns the first statement of a text that changes its session for good; null without one. */
export async function findLastingEffect(sql: string): Promise<LastingEffect | null> {
  if (!suspicious.test(sql)) return null;
  for (const { text, node } of (await parseSql(sql)) ?? []) {
    const reason = reasonFor(node);
    if (reason !== null) return { text, reason };
  }
  return null;
}

function reasonFor(node: Node): string | null {
  if ('LoadStmt' in node)
    return 'which loads a library into the session for good: remove it, and set session_preload_libraries where all sessions need it';
  if ('DeallocateStmt' in node && node.DeallocateStmt.isall)
    return 'which also ends the prepared statements of others that use the connection: remove it, because those of a migration end with it';
  return null;
}

// A text without any of these words is not parsed.
const ofSessions =
  /\b(?:temp|temporary|pg_temp|prepare|listen|set|reset|declare|set_config|setseed|pg_(?:try_)?advisory_lock\w*)\b/i;

/**
 * Returns the first statement of a text that leaves something in its session when it runs outside a transaction: a temporary object, a
 * setting, a prepared statement, a subscription to a channel, an advisory lock. Null without one.
 */
export async function findSessionEffect(sql: string): Promise<string | null> {
  if (!ofSessions.test(sql)) return null;
  return (await parseSql(sql))?.find(({ node }) => changesSession(node))?.text ?? null;
}

function changesSession(node: Node): boolean {
  if ('CreateStmt' in node) return isTemporary(node.CreateStmt.relation);
  if ('CreateTableAsStmt' in node) return isTemporary(node.CreateTableAsStmt.into?.rel);
  if ('ViewStmt' in node) return isTemporary(node.ViewStmt.view);
  if ('CreateSeqStmt' in node) return isTemporary(node.CreateSeqStmt.sequence);
  if ('VariableSetStmt' in node) return !node.VariableSetStmt.is_local;
  if ('SelectStmt' in node) {
    const calls = JSON.stringify(node.SelectStmt);
    return /"sval":"(?:set_config|setseed|pg_(?:try_)?advisory_lock(?:_shared)?)"/.test(calls);
  }
  return 'PrepareStmt' in node || 'ListenStmt' in node || 'DeclareCursorStmt' in node;
}

function isTemporary({ relpersistence, schemaname }: RangeVar = {}): boolean {
  return relpersistence === 't' || schemaname === 'pg_temp';
}
