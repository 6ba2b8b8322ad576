import type { EntityManager } from '@mikro-orm/postgresql';
import { ScenarioNode } from '../entities/scenario-node.ts';
import { Repository } from './repository.ts';

/** Scorecards in the trees of explorations. */
export class ScenarioNodeRepository extends Repository<ScenarioNode> {
  constructor(em: EntityManager) {
    super(em, ScenarioNode);
  }
}
