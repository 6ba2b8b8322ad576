import { expect } from 'vitest';
import type { Database } from '../../src/index.ts';
import {
  aResearchExecution,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

/** Makes an experiment and the guide to its interviews. */
async function createExperiment(database: Database, id: string, questions: string): Promise<void> {
  await database.transact(async ({ experiments, interviewGuides }) => {
    experiments.add({ id, name: 'Short checkout', hypothesis: 'Fewer steps sell more' });
    await interviewGuides.insertIfAbsent(id, { questions });
  });
}

testWithFaults('making an experiment', {
  prepare: () => `exp_${crypto.randomUUID()}`,
  run: (database, id) => createExperiment(database, id, 'What made you stop?'),
  async checkResult({ experiments }, id) {
    expect(await experiments.getSummary(id)).toMatchObject({ hasInterviewGuide: true, interviewCount: 0 });
  },
});

/** Adds the guide that a language model wrote, unless somebody was faster. */
async function addGuide(database: Database, experimentId: string, questions: string): Promise<boolean> {
  return database.transact(async ({ experiments, interviewGuides }) => {
    await experiments.get(experimentId);
    return interviewGuides.insertIfAbsent(experimentId, { questions });
  });
}

testWithFaults('adding a guide where there is one', {
  prepare: ({ em }) => anInterviewGuide(em, { questions: 'Kept?' }).experiment.id,
  run: (database, id) => addGuide(database, id, 'Lost?'),
  async checkResult({ interviewGuides }, id) {
    expect(await interviewGuides.get(id)).toMatchObject({ questions: 'Kept?' });
  },
});

testWithFaults('deleting an experiment', {
  prepare({ em }) {
    const experiment = anExperiment(em);
    const run = anAnalysisRun(em, { experiment });
    anInterviewGuide(em, { experiment });
    anExperimentDocument(em, { experiment });
    const exploration = anExploration(em, { experiment, baselineAnalysis: run });
    const execution = aResearchExecution(em, { experiment });
    return { id: experiment.id, run: run.id, exploration: exploration.id, execution: execution.id };
  },
  run: (database, { id }) => database.transact(({ experiments }) => experiments.softDelete(id)),
  async checkResult(uow, { id, run, exploration, execution }) {
    expect(await uow.experiments.find(id)).toBeNull();
    expect(await uow.experiments.find(id, { deleted: 'included' })).toMatchObject({ status: 'deleted' });
    const { data } = await uow.experiments.pageSummaries();
    expect(data.map((row) => row.id)).not.toContain(id);
    // Its children stay, and can be reached by their own keys.
    expect(await uow.analysisRuns.find(run)).not.toBeNull();
    expect(await uow.explorations.find(exploration)).not.toBeNull();
    expect(await uow.researchExecutions.find(execution)).not.toBeNull();
    expect(await uow.interviewGuides.exists(id)).toBe(true);
    expect(await uow.experimentDocuments.findStatus(id, 'summary')).toBe('completed');
  },
});
