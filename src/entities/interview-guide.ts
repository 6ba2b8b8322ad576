import { defineEntity, p } from '@mikro-orm/core';
import { rowVersion, timestamps } from './columns.ts';
import { Experiment } from './experiment.ts';
import { keepsUpdatedAt, raisesRowVersion } from './triggers.ts';

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
  triggers: [keepsUpdatedAt, raisesRowVersion],
});

/** What interviewers of an experiment ask. An experiment has one at most, and takes it along when it is deleted for good. */
export class InterviewGuide extends InterviewGuideSchema.class {}
InterviewGuideSchema.setClass(InterviewGuide);
