import type { EntityManager } from '@mikro-orm/postgresql';
import { ExperimentDocument } from '../entities/experiment-document.ts';
import { Repository } from './repository.ts';

/** Texts generated for experiments. */
export class ExperimentDocumentRepository extends Repository<ExperimentDocument> {
  constructor(em: EntityManager) {
    super(em, ExperimentDocument);
  }
}
