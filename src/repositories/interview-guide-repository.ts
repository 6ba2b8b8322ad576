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

/** The texts of a guide. */
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
 * Interview guides of experiments: one at most for each. The key of a guide is that of its experiment. The guide of a deleted experiment is
 * still returned.
 */
export class InterviewGuideRepository extends Repository<InterviewGuide> {
  constructor(em: EntityManager) {
    super(em, InterviewGuide);
  }

  /** Returns the guide of this experiment, to be modified; null if none exists. */
  override find(experimentId: string): Promise<InterviewGuide | null> {
    return super.find(experimentId);
  }

  /**
   * Returns the guide of this experiment, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  override async get(experimentId: string): Promise<InterviewGuide> {
    return this.requireFound(await this.find(experimentId), experimentId);
  }

  /** Returns whether this experiment has a guide. */
  async exists(experimentId: string): Promise<boolean> {
    const db = await this.queryForRead();
    const found = await db
      .selectFrom('interview_guide')
      .select('experiment_id')
      .where('experiment_id', '=', experimentId)
      .executeTakeFirst();
    return found !== undefined;
  }

  /** Stages a new guide. The flush rejects with `DuplicateError` (`interview_guide_pkey`) if the experiment has one already. */
  override add(data: RequiredEntityData<InterviewGuide>): InterviewGuide {
    return super.add(data);
  }

  /**
   * Inserts the guide of an experiment unless it has one, by one statement; safe under concurrency. Returns whether it was inserted. Absent
   * texts are null.
   *
   * @throws DanglingReferenceError if the experiment does not exist.
   */
  async insertIfAbsent(experimentId: string, texts: GuideTexts): Promise<boolean> {
    const db = await this.queryForWrite();
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
   * Stages changes of the given texts, and returns the guide. An absent text stays as it is; null clears it.
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
