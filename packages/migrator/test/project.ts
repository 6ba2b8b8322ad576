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
  readonly prechecks?: readonly string[];
  readonly postchecks?: readonly string[];
  /** The names of the migrations that it replaces. */
  readonly replaces?: readonly string[];
  /** What it declares to lose and to refuse, why it has no `down`, and which rules of `lint` it silences. */
  readonly loses?: readonly string[];
  readonly refuses?: readonly string[];
  readonly irreversible?: string;
  /** Why one would want it, where it is applied only by its name. */
  readonly optional?: string;
  readonly lint?: Readonly<Record<string, string>>;
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

function adding(sqls: readonly string[]): string {
  return sqls.map((sql) => `this.addSql(${JSON.stringify(sql)});`).join(' ');
}

type MigrationClass = new (...given: ConstructorParameters<typeof Migration>) => Migration;

/** Returns a class whose text has its statements, as that of a file does. */
function asClass(
  name: string,
  {
    up,
    down = [],
    transactional = true,
    replaces,
    loses,
    refuses,
    irreversible,
    optional,
    lint,
    ...settings
  }: Written,
): MigrationObject {
  const text = `return class extends Migration {
    ${Object.entries({ replaces, loses, refuses, irreversible, optional, lint })
      .filter(([, value]) => value !== undefined)
      .map(([property, value]) => `static ${property} = ${JSON.stringify(value)};`)
      .join(' ')}
    ${Object.entries(settings)
      .map(([setting, value]) => `${setting} = ${JSON.stringify(value)};`)
      .join(' ')}
    isTransactional() { return ${transactional}; }
    up() { ${adding(up)} }
    ${down === null ? '' : `down() { ${adding(down)} }`}
  }`;
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- the text above
  return { name, class: new Function('Migration', text)(Migration) as MigrationClass };
}
