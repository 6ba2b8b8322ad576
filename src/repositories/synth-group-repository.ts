import type { EntityManager } from '@mikro-orm/postgresql';
import { SynthGroup } from '../entities/synth-group.ts';
import { Repository } from './repository.ts';

/** Named sets of synths. */
export class SynthGroupRepository extends Repository<SynthGroup> {
  constructor(em: EntityManager) {
    super(em, SynthGroup);
  }
}
