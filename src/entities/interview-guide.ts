import { defineEntity, p } from '@mikro-orm/core';
import { rowVersion, timestamps } from './columns.ts';
import { Experiment } from './experiment.ts';
import { setsUpdatedAt, incrementsRowVersion } from './triggers.ts';

export const InterviewGuideSchema = defineEntity({
  name: 'InterviewGuide',
  tableName: 'interview_guide',
  properties: {
    experiment: () =>
      p.oneToOne(Experiment).owner().primary().ref().deleteRule('cascade').updateRule('no action'),
    contextDefinition: p.text().nullable(),
    questions: p.text().nullable(),
    contextExamples: p.text().nullable(),
    ...timestamps,
    ...rowVersion,
  },
  triggers: [setsUpdatedAt, incrementsRowVersion],
});

/** The interview guide of an experiment: one at most. Deleting the experiment's row deletes it. */
export class InterviewGuide extends InterviewGuideSchema.class {}
InterviewGuideSchema.setClass(InterviewGuide);
