import type { EntityManager } from '@mikro-orm/postgresql';
import { Transcript } from '../entities/transcript.ts';
import { Repository } from './repository.ts';

/** What synths and their interviewers said. */
export class TranscriptRepository extends Repository<Transcript> {
  constructor(em: EntityManager) {
    super(em, Transcript);
  }
}
