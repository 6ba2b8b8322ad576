// Compiled by `tsc`, never run: rows are those of the entity.
import { AnalysisRun, Experiment } from '../../src/entities.ts';
import type { Database } from '../../src/index.ts';
import { loadRows, type LoadCounts, type LoadPlan } from '../../src/loading/index.ts';

declare const database: Database;
const load = { entity: AnalysisRun, mode: 'append' } as const;
const run = { experiment: 'exp', config: {}, startedAt: '2026-01-01T00:00:00Z' };

void (loadRows(database, { ...load, rows: [run] }) satisfies Promise<LoadCounts>);
void (loadRows(database, { ...load, rows: [run], planOnly: true }) satisfies Promise<LoadPlan>);
void loadRows(database, { ...load, rows: [{ ...run, completedAt: null, startedAt: new Date() }] });
void loadRows(database, { ...load, rows: [], key: ['experiment', 'status'] });
await database.transact((uow) => loadRows(uow, { ...load, rows: [run] }));

// @ts-expect-error -- a property that the entity has not
void loadRows(database, { ...load, rows: [{ ...run, experimentId: 'exp' }] });
// @ts-expect-error -- null where the column takes none
void loadRows(database, { ...load, rows: [{ ...run, status: null }] });
// @ts-expect-error -- a value outside of the closed set
void loadRows(database, { ...load, rows: [{ status: 'done' }] });
// @ts-expect-error -- a key that is no property
void loadRows(database, { ...load, rows: [], key: ['experiment_id'] });
// @ts-expect-error -- a unit of work that only reads
await database.read((uow) => loadRows(uow, { entity: Experiment, mode: 'append', rows: [] }));
