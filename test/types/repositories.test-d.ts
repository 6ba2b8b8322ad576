// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { Database, PageTotal, UnitOfWork } from '../../src/index.ts';

declare const uow: UnitOfWork;

// @ts-expect-error -- a hypothesis is required
uow.experiments.add({ name: 'n' });
// @ts-expect-error -- not a status
uow.experiments.add({ name: 'n', hypothesis: 'h', status: 'odd' });
// @ts-expect-error -- no such column
uow.experiments.add({ name: 'n', hypothesis: 'h', title: 't' });
// @ts-expect-error -- not the shape of a scorecard
uow.experiments.add({ name: 'n', hypothesis: 'h', scorecardData: { feature_name: 1 } });
// @ts-expect-error -- not the shape of a configuration
uow.analysisRuns.add({ experiment: 'exp_1', config: { n_synths: 'many' }, startedAt: new Date() });
// @ts-expect-error -- a key is a string
void uow.experiments.get(1);
// What a right call gives.
const status: 'active' | 'deleted' = (await uow.experiments.get('exp_1')).status;
const changed: Date | null | undefined = (await uow.experiments.get('exp_1')).updatedAt;
void [status, changed];

declare const database: Database;
const summary = await uow.experiments.getSummary('exp_1');
// @ts-expect-error -- not a field of the read model
void summary.scorecardData;
// @ts-expect-error -- read models are for looking
summary.name = 'new';
// The total is null where it is left out, and a number otherwise.
null satisfies (typeof withoutTotal)['pagination']['total'];
const withoutTotal = await uow.synths.pageSummaries({ text: 'a', total: 'none' });
const totals: number[] = [
  (await uow.experiments.pageSummaries()).pagination.total,
  (await uow.transcripts.pageSummaries('exec_1', { total: 'estimate', limit: 5 })).pagination.total,
];
// @ts-expect-error -- it may be left out
const anyTotal: number = (await uow.experiments.pageSummaries({ total: 'none' as PageTotal })).pagination
  .total;
void [totals, anyTotal];
// @ts-expect-error -- not a total
void uow.experiments.pageSummaries({ total: 'all' });
// @ts-expect-error -- not a sort key
void uow.experiments.pageSummaries({ sortBy: 'hypothesis' });
// @ts-expect-error -- the legacy tables are read only
uow.featureScorecards.add({});
// @ts-expect-error -- a read stages nothing
void database.read(async ({ experiments }) => experiments.add({ name: 'n', hypothesis: 'h' }));
// @ts-expect-error -- a read changes nothing
void database.read(({ experiments }) => experiments.softDelete('exp_1'));
// @ts-expect-error -- a read copies nothing
void database.read(({ synthOutcomes }) => synthOutcomes.saveAll('ana_1', []));
// @ts-expect-error -- a read has no way past the repositories
void database.read(async ({ em }) => em.flush());
