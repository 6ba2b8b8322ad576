import { expect } from 'vitest';
import type { Database } from '../../src/index.ts';
import { aResearchExecution, anExperiment } from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

/** What came of an interview; no messages when it failed. */
interface Interviewed {
  readonly synthId: string;
  readonly messages: readonly { readonly speaker: string; readonly text: string }[] | null;
}

/** Ends a round of interviews: what was said, what it comes to, how many there were. */
async function finishResearch(
  database: Database,
  executionId: string,
  interviews: readonly Interviewed[],
  summary: string,
): Promise<void> {
  await database.transact(async ({ researchExecutions, transcripts, experimentDocuments }) => {
    const execution = await researchExecutions.get(executionId);
    if (!execution.experiment) throw new Error('the execution belongs to no experiment');
    await researchExecutions.saveStatus(executionId, 'generating_summary');
    let successful = 0;
    for (const { synthId, messages } of interviews) {
      if (!messages) continue;
      transcripts.addInterview(executionId, { synthId, synthName: 'Maria Souza', messages: [...messages] });
      successful++;
    }
    await experimentDocuments.saveDocument(execution.experiment.id, 'summary', {
      markdown: summary,
      metadata: { exec_id: executionId, transcript_count: successful },
      model: execution.model,
    });
    await researchExecutions.saveStatus(executionId, 'completed', {
      successfulCount: successful,
      failedCount: interviews.length - successful,
    });
  });
}

const messages = [
  { speaker: 'Interviewer', text: 'What made you stop?' },
  { speaker: 'Maria Souza', text: 'The delivery fee.' },
];

testWithFaults('a batch of interviews', {
  prepare({ em }) {
    const experiment = anExperiment(em);
    const execution = aResearchExecution(em, { experiment, status: 'running', synthCount: 3 });
    return { experiment: experiment.id, execution: execution.id };
  },
  run: (database, { execution }) =>
    finishResearch(
      database,
      execution,
      [
        { synthId: 'syn_1', messages },
        { synthId: 'syn_2', messages: null },
        { synthId: 'syn_3', messages },
      ],
      '# They stop at the delivery fee',
    ),
  async checkResult({ researchExecutions, transcripts, experimentDocuments }, { experiment, execution }) {
    expect(await researchExecutions.getDetail(execution)).toMatchObject({
      status: 'completed',
      successfulCount: 2,
      failedCount: 1,
      completedAt: expect.any(Date),
    });
    const { data } = await transcripts.pageSummaries(execution, { sortBy: 'synthName' });
    expect(data.map(({ synthId }) => synthId).toSorted()).toEqual(['syn_1', 'syn_3']);
    expect(await transcripts.countTurnsBatch([execution])).toEqual(new Map([[execution, 2]]));
    expect(await experimentDocuments.findMarkdown(experiment, 'summary')).toContain('delivery fee');
  },
});
