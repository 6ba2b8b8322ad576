import type { EntityManager } from '@mikro-orm/postgresql';
import { InterviewGuide } from '../entities/interview-guide.ts';
import { Repository } from './repository.ts';

/** What interviewers of an experiment ask. */
export class InterviewGuideRepository extends Repository<InterviewGuide> {
  constructor(em: EntityManager) {
    super(em, InterviewGuide);
  }
}
