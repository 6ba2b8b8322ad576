import type { EntityManager } from '@mikro-orm/postgresql';
import { Synth } from '../entities/synth.ts';
import { Repository } from './repository.ts';

/** Synthetic users. */
export class SynthRepository extends Repository<Synth> {
  constructor(em: EntityManager) {
    super(em, Synth);
  }
}
