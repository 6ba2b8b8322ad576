import { describeNotRestored, type Difference } from '../catalog/differences.ts';
import { describeLeftOut } from '../catalog/server-guard.ts';
import type { Certificate, VerifiedEffect } from '../verify/certificate.ts';

/** Returns what has to be changed, or known, of a migration; what it declares is in the table. */
export function remarksOf(one: Certificate): string[] {
  return [
    ...one.failures,
    ...one.differences.map(
      ({ after, difference }) =>
        `after ${after === 'down' ? 'up and down' : 'up, down and up'}, ${describeNotRestored(difference)}${hintFor(difference)}`,
    ),
    ...undeclared(one.loses, 'after up and down,', 'loses'),
    ...undeclared(one.losesDown, 'after down and up,', 'loses'),
    ...undeclared(one.refusesUp, 'up refuses rows of', 'refuses'),
    ...undeclared(one.refusesDown, 'down refuses rows of', 'refuses'),
    ...one.notSeen.map((text) => `declared, and not seen: ${text}`),
    ...(one.notCovered.length > 0 ? [`not covered, no row could be made: ${one.notCovered.join(', ')}`] : []),
    ...one.leftOut.map(describeLeftOut),
  ];
}

// PostgreSQL adds a column after all others.
function hintFor({ object, fact }: Difference): string {
  if (fact !== 'order of columns') return '';
  const table = object.replace(/^table /, '');
  return `; to drop a column and put it back in its place, park it: this.addSql(park('${table}', ['column']))`;
}

function undeclared(effects: readonly VerifiedEffect[], does: string, declaration: string): string[] {
  return effects
    .filter(({ declared }) => declared === null)
    .map(({ object, what, rows }) => {
      const count = rows === 0 ? '' : ` (${rows} ${rows === 1 ? 'row' : 'rows'})`;
      return `${does} ${object}: ${what}${count}; correct it, or declare static ${declaration} = ['${object.replace(/ \(.*/, '')}: why']`;
    });
}
