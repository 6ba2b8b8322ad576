import type { Finding, SilencedFinding } from './observation/finding.ts';
import { rulePage, rules, silenceRule } from './rules.ts';

/** Splits the findings of a migration by its declaration `static lint`, and adds one for each entry that silences nothing. */
export function silence(
  migration: string,
  found: readonly Finding[],
  reasons: Readonly<Record<string, string>>,
): { readonly findings: readonly Finding[]; readonly silenced: readonly SilencedFinding[] } {
  const findings: Finding[] = [];
  const silenced: SilencedFinding[] = [];
  for (const finding of found) {
    const reason = reasons[finding.rule];
    if (reason === undefined) findings.push(finding);
    else silenced.push({ ...finding, reason });
  }
  for (const rule of Object.keys(reasons)) {
    if (silenced.some((one) => one.rule === rule)) continue;
    const isKnown = rules.some(({ name }) => name === rule);
    findings.push({
      migration,
      direction: 'up',
      statement: null,
      sql: null,
      rule: silenceRule,
      object: isKnown ? `'${rule}' silences nothing` : `there is no rule '${rule}'`,
      table: null,
      lock: null,
      blocks: 'nothing',
      held: 'briefly',
      safe: `// remove '${rule}' from static lint`,
      page: rulePage(silenceRule),
    });
  }
  return { findings, silenced };
}
