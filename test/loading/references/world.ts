import { defineEntity, MikroORM, p } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { Database } from '../../../src/database/database.ts';
import { ormOptions } from '../../../src/postgres/orm/orm-options.ts';
import { double, id, instant, rowVersion } from '../../../src/entities/columns.ts';
import { jsonColumn } from '../../../src/json/column.ts';
import { TestDatabase } from '../../../src/testing/index.ts';

const schema = 'Mixed "Case"';

const PlanSchema = defineEntity({
  name: 'Plan',
  tableName: 'Pension plans',
  schema,
  properties: {
    id: p.text().primary().name('Plan'),
    name: p.text().nullable(),
    amount: double().nullable(),
    portfolioCount: p.integer().default(7),
    latest: instant().nullable(),
    tags: jsonColumn(() => z.array(z.string())).nullable(),
    details: jsonColumn(() => z.looseObject({ city: z.string() })).nullable(),
    source: p.text().nullable(),
    derivedAt: instant().nullable(),
    ...rowVersion,
  },
});
/** A plan that facts name, in a schema whose name needs quotes. */
export class Plan extends PlanSchema.class {}
PlanSchema.setClass(Plan);

const PortfolioSchema = defineEntity({
  name: 'Portfolio',
  tableName: 'portfolios',
  schema,
  properties: {
    id: id('pf'),
    plan: () => p.manyToOne(Plan).ref().joinColumn('plan_id'),
    code: p.integer(),
    name: p.text(),
  },
  uniques: [{ properties: ['plan', 'code'] }],
});
/** A portfolio of a plan, with a generated key; plan and code identify it. */
class Portfolio extends PortfolioSchema.class {}
PortfolioSchema.setClass(Portfolio);

/** A database with plans and portfolios. */
export class References extends Database {
  readonly #db: TestDatabase;

  private constructor(db: TestDatabase, orm: MikroORM) {
    super(orm);
    this.#db = db;
  }

  static async create(): Promise<References> {
    const db = await TestDatabase.create();
    const references = new References(db, referencesOrm(db.target));
    await references.execute(`
      create schema "Mixed ""Case""";
      create table "Mixed ""Case"""."Pension plans" (
        "Plan" text primary key check ("Plan" <> 'refused'), name text, amount double precision,
        portfolio_count integer not null default 7, latest timestamptz(6), tags jsonb, details jsonb, source text,
        derived_at timestamptz(6), row_version integer not null default 1
      );
      create table "Mixed ""Case""".portfolios (
        id text primary key, plan_id text not null references "Mixed ""Case"""."Pension plans", code integer not null,
        name text not null, unique (plan_id, code)
      )`);
    return references;
  }

  get target(): TestDatabase['target'] {
    return this.#db.target;
  }

  /** Runs SQL past the code under test. */
  execute<Row>(sql: string): Promise<Row[]> {
    return this.orm.em.fork().execute<Row[]>(sql);
  }

  /** All plans, by key. */
  plans(): Promise<Record<string, unknown>[]> {
    return this.execute(`select * from "Mixed ""Case"""."Pension plans" order by 1`);
  }

  /** All portfolios, by plan and code. */
  portfolios(): Promise<Record<string, unknown>[]> {
    return this.execute(`select * from "Mixed ""Case""".portfolios order by plan_id, code`);
  }

  /** Waits until a connection waits for a lock; throws after 10 s. */
  async awaitLockWaiter(): Promise<void> {
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const waiting = await this.execute(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) return;
    }
    throw new Error('no connection waited for a lock within 10 s');
  }

  async empty(): Promise<void> {
    await this.execute(`truncate "Mixed ""Case"""."Pension plans" cascade`);
  }

  async drop(): Promise<void> {
    await this.close();
    await this.#db.drop();
  }
}

/** An ORM that knows plans and portfolios besides the project's entities. */
export function referencesOrm(target: TestDatabase['target']): MikroORM {
  const options = ormOptions(target);
  return new MikroORM({ ...options, entities: [...(options.entities ?? []), Plan, Portfolio] });
}

/** The target that makes plans, to which tests add what they are about. */
export const plans = { name: 'plans', source: 'plan', entity: 'Plan', key: 'id' } as const;

/** The target that makes the portfolios of plans. */
export const portfolios = {
  name: 'portfolios',
  source: ['plan', 'code'],
  entity: 'Portfolio',
  key: ['plan', 'code'],
  columns: [{ target: 'name', aggregation: 'template', template: '{plan}/{code}' }],
} as const;
