import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { InterviewGuide } from '../entities/interview-guide.ts';
import { Repository } from './repository.ts';
import {
  fields,
  Key,
  nullable,
  optional,
  rowMethods,
  Text,
  reads,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** What a guide holds. */
export interface GuideTexts {
  readonly contextDefinition?: string | null | undefined;
  readonly questions?: string | null | undefined;
  readonly contextExamples?: string | null | undefined;
}

const guideTexts = fields<GuideTexts>({
  contextDefinition: optional(nullable(Text)),
  questions: optional(nullable(Text)),
  contextExamples: optional(nullable(Text)),
});

/**
 * What interviewers of an experiment ask. A guide's key is that of its experiment, which has one at most. That of a deleted
 * experiment can still be reached.
 */
export class InterviewGuideRepository extends Repository<InterviewGuide> {
  constructor(em: EntityManager) {
    super(em, InterviewGuide);
  }

  /** The guide of this experiment, to be modified; null if none exists. */
  override find(experimentId: string): Promise<InterviewGuide | null> {
    return super.find(experimentId);
  }

  /**
   * The guide of this experiment, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  override async get(experimentId: string): Promise<InterviewGuide> {
    return this.must(await this.find(experimentId), experimentId);
  }

  /** Whether this experiment has a guide. */
  async exists(experimentId: string): Promise<boolean> {
    const db = await this.rows();
    const found = await db
      .selectFrom('interview_guide')
      .select('experiment_id')
      .where('experiment_id', '=', experimentId)
      .executeTakeFirst();
    return found !== undefined;
  }

  /**
   * Stages a new guide. The flush refuses it where the experiment has one already (`DuplicateError`, `interview_guide_pkey`).
   */
  override add(data: RequiredEntityData<InterviewGuide>): InterviewGuide {
    return super.add(data);
  }

  /**
   * Gives the experiment this guide unless it has one, by one statement: of two at once, one adds and the other learns that there
   * is one. True when it was added.
   *
   * @throws DataError when there is no such experiment.
   */
  async insertIfAbsent(experimentId: string, texts: GuideTexts): Promise<boolean> {
    const db = await this.writing();
    const added = await db
      .insertInto('interview_guide')
      .values(({ fn }) => ({
        experiment_id: experimentId,
        context_definition: texts.contextDefinition ?? null,
        questions: texts.questions ?? null,
        context_examples: texts.contextExamples ?? null,
        created_at: fn<string>('clock_timestamp'),
        row_version: 1,
      }))
      .onConflict((conflict) => conflict.column('experiment_id').doNothing())
      .returning('experiment_id')
      .executeTakeFirst();
    return added !== undefined;
  }

  /**
   * Changes what is given; an absent text stays as it is, a null one is cleared.
   *
   * @throws NotFoundError if it does not exist.
   */
  async update(experimentId: string, changes: GuideTexts): Promise<InterviewGuide> {
    const guide = await this.get(experimentId);
    if (changes.contextDefinition !== undefined) guide.contextDefinition = changes.contextDefinition;
    if (changes.questions !== undefined) guide.questions = changes.questions;
    if (changes.contextExamples !== undefined) guide.contextExamples = changes.contextExamples;
    return guide;
  }

  /**
   * Stages the removal of this experiment's guide.
   *
   * @throws NotFoundError if it does not exist.
   */
  async removeByExperiment(experimentId: string): Promise<void> {
    this.remove(await this.get(experimentId));
  }

  static readonly signatures = {
    ...rowMethods(InterviewGuide),
    find: reads({ experimentId: Key }),
    get: reads({ experimentId: Key }),
    exists: reads({ experimentId: Key }),
    insertIfAbsent: writes({ experimentId: Key }, { texts: guideTexts }),
    update: stages({ experimentId: Key }, { changes: guideTexts }),
    removeByExperiment: stages({ experimentId: Key }),
  } satisfies Signatures<InterviewGuideRepository>;
}
