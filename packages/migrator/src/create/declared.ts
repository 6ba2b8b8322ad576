import type { Direction } from '../files/code-migration.ts';
import type { Declared } from './file/source.ts';
import { quoted } from './named-objects.ts';
import type { ValueEffect, Warning } from './warnings.ts';

/** Returns what a migration has to declare for the effects that its warnings name. */
export function declaredFor(warnings: Readonly<Record<Direction, readonly Warning[]>>): Declared {
  const entries = (kind: ValueEffect['kind']): string[] => [
    ...new Set(
      (['up', 'down'] as const).flatMap((direction) =>
        warnings[direction].flatMap(({ effect }) =>
          effect?.kind === kind ? [entry(effect, direction)] : [],
        ),
      ),
    ),
  ];
  return { loses: entries('loses'), refuses: entries('refuses') };
}

/** Returns an entry of `static loses` or `static refuses`. */
export function entry(
  { table, column, why }: Pick<ValueEffect, 'table' | 'column' | 'why'>,
  direction: Direction,
): string {
  const name = column === null ? table : `${table}.${quoted(column)}`;
  // Quoted where PostgreSQL would read another name without.
  const printed = name.replaceAll(/"((?:[^"]|"")*)"/g, (whole, identifier: string) =>
    /^[a-z_][a-z0-9_$]*$/.test(identifier) ? identifier : whole,
  );
  return `${printed}: going ${direction === 'up' ? 'up' : 'back'} ${why}`;
}
