import * as fc from 'fast-check';
import type { LegacyRow, LegacyRows } from '../legacy-file.ts';
import { shapeOf, versions } from './schema-version.ts';

/** A version that made a file, and the one to which later versions upgraded it. */
export interface SomeVersion {
  readonly version: string;
  readonly upgradedTo: string | undefined;
}

/** Any version, half of them the newest; mostly upgraded to any later one. */
export const someVersion: fc.Arbitrary<SomeVersion> = fc
  .tuple(fc.oneof(fc.constant('15'), fc.constantFrom(...versions)), fc.option(fc.nat(), { nil: undefined }))
  .map(([version, choice]) => {
    const later = versions.slice(versions.indexOf(version) + 1);
    return {
      version,
      upgradedTo: choice === undefined || later.length === 0 ? undefined : later[choice % later.length],
    };
  });

/** Returns rows of the newest version as ones of another: what it lacks is left out, what it requires or kept elsewhere is added. */
export function asRowsOf(version: string, rows: LegacyRows): LegacyRows {
  const all: LegacyRows = { ...rows, prfaq_metadata: documentsOf(rows['research_executions'] ?? []) };
  const projected: Record<string, readonly LegacyRow[]> = {};
  for (const [table, columns] of shapeOf(version)) {
    projected[table] = (all[table] ?? []).map((row, index) => {
      const more = older[table]?.(row, index) ?? {};
      const values = columns.flatMap(({ name, type, required }): [string, LegacyRow[string]][] => {
        if (type === 'serial') return [];
        const value = more[name] ?? row[name];
        const isGiven = value !== undefined && !(value === null && required);
        return isGiven ? [[name, name === 'synth_name' && !required && index % 3 === 0 ? null : value]] : [];
      });
      return Object.fromEntries(values);
    });
  }
  return projected;
}

// What older versions had in these tables, made of what the newest has.
const older: Readonly<Record<string, (row: LegacyRow, index: number) => LegacyRow>> = {
  synths: ({ data = null }, index) => ({
    arquetipo: index % 2 === 0 ? 'Adulto' : null,
    demografia: data,
    psicografia: index % 2 === 0 ? '{"interesses": ["a"]}' : null,
  }),
  synth_outcomes: ({ analysis_id = null }) => ({ simulation_id: analysis_id ?? 'none' }),
  research_executions: (_, index) => ({
    summary_path: index % 2 === 0 ? 'output/summary.md' : null,
    summary_content: index % 2 === 0 ? `# Summary ${index}` : null,
  }),
};

function documentsOf(executions: readonly LegacyRow[]): LegacyRow[] {
  return executions.map(({ exec_id = null, started_at = null }, index) => ({
    exec_id,
    generated_at: started_at,
    model: 'gpt-5-mini',
    headline: 'A "b"',
    markdown_path: 'output/prfaq.md',
    markdown_content: `# PR-FAQ ${index}`,
    json_content: '{"a": 1.50}',
    status: index % 4 === 3 ? 'failed' : 'completed',
  }));
}
