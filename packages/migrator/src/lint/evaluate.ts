import type { Finding } from './observation/finding.ts';
import { blocksOf } from './observation/locks.ts';
import type { ObservedStatement } from './observation/observed-statement.ts';
import type { Match, Rule } from './rules/rule.ts';
import { rulePage, rules } from './rules.ts';

/** Returns what the rules find in the statements of one direction of a migration. */
export function findingsOf(
  statements: readonly ObservedStatement[],
  isIgnored: (statement: ObservedStatement, finding: Finding) => boolean,
): Finding[] {
  const findings: Finding[] = [];
  for (const statement of statements) {
    const found: Match[] = [];
    for (const rule of rules) {
      if (rule.once && findings.some((one) => one.rule === rule.name)) continue;
      const matches = rule.find(statement, found);
      found.push(...matches);
      findings.push(
        ...matches
          .map((match) => toFinding(statement, rule, match))
          .filter((finding) => !isIgnored(statement, finding)),
      );
    }
  }
  return findings;
}

function toFinding(
  statement: ObservedStatement,
  { name }: Rule,
  { object, table, safe, lock }: Match,
): Finding {
  const { migration, observation } = statement;
  const mode = lock?.mode ?? (table === null ? null : statement.lockOn(table));
  return {
    migration: migration.name,
    direction: migration.direction,
    statement: observation.number,
    sql: observation.sql,
    rule: name,
    object,
    table: table === null ? null : statement.label(table),
    lock: mode,
    blocks: lock?.blocks ?? blocksOf(mode),
    held: lock?.held ?? (table === null ? 'briefly' : statement.held(table)),
    safe,
    page: rulePage(name),
  };
}
