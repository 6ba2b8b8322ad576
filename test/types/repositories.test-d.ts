// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { UnitOfWork } from '../../src/index.ts';

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
