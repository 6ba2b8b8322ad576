import { Migration, Migrator as OrmMigrator } from '@mikro-orm/migrations';
import { MikroORM, type MigrationObject, type Options } from '@mikro-orm/postgresql';

/** A migration by what it sends. */
interface Written {
  readonly up: readonly string[];
  /** Null for one that can't be reverted; nothing when absent. */
  readonly down?: readonly string[] | null;
  readonly transactional?: boolean;
  readonly lockTimeout?: number;
  readonly statementTimeout?: number;
}

/** Migrations by their names. */
export type Migrations = Readonly<Record<string, Written>>;

/** Returns the ORM of a project on the database at `url`. Opens no connection. */
export function projectOn(url: string, migrations: Migrations, options: Options = {}): MikroORM {
  return new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [OrmMigrator],
    logger: () => {},
    ...options,
    migrations: {
      // Its default asks for a superuser.
      disableForeignKeys: false,
      allOrNothing: false,
      snapshot: false,
      silent: true,
      ...options.migrations,
      migrationsList: Object.entries(migrations).map(([name, written]) => asClass(name, written)),
    },
  });
}

function asClass(
  name: string,
  { up, down = [], transactional = true, ...settings }: Written,
): MigrationObject {
  class Made extends Migration {
    constructor(...given: ConstructorParameters<typeof Migration>) {
      super(...given);
      Object.assign(this, settings);
    }

    override isTransactional(): boolean {
      return transactional;
    }

    override up(): void {
      for (const sql of up) this.addSql(sql);
    }
  }
  if (down === null) return { name, class: Made };
  return {
    name,
    class: class extends Made {
      override down(): void {
        for (const sql of down) this.addSql(sql);
      }
    },
  };
}
