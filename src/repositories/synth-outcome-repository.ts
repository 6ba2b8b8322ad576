import type { EntityManager } from '@mikro-orm/postgresql';
import { SynthOutcome } from '../entities/synth-outcome.ts';
import { Repository } from './repository.ts';

/** How synths fared in analysis runs. */
export class SynthOutcomeRepository extends Repository<SynthOutcome> {
  constructor(em: EntityManager) {
    super(em, SynthOutcome);
  }
}
