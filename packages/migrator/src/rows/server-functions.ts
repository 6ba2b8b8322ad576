import { rowsMark } from '../catalog/server-guard.ts';
import type { Session } from '../session/session.ts';

/** Functions of the session that try values and rows, each in a subtransaction. */
const functions = `
create or replace function pg_temp.migrator_accepts(work jsonb) returns jsonb language plpgsql as $migrator$
declare item jsonb; given text; accepted boolean[]; one boolean; results jsonb[] := '{}';
begin
  for item in select value from jsonb_array_elements(work) loop
    accepted := '{}';
    for given in select value from jsonb_array_elements_text(item->'values') loop
      begin
        execute format('select (%s) is not false from (select %L::%s as %I) given', item->>'check', given, item->>'type', item->>'column') into one;
      exception when others then one := false;
      end;
      accepted := accepted || one;
    end loop;
    results := results || to_jsonb(accepted);
  end loop;
  return to_jsonb(results);
end $migrator$;
create or replace function pg_temp.migrator_insert(work jsonb, is_deferrable boolean) returns jsonb language plpgsql as $migrator$
declare item jsonb; statement text; number int; returned jsonb; outcome jsonb; results jsonb[] := '{}';
  state text; named text; table_named text; column_named text; message text;
begin
  for item in select value from jsonb_array_elements(work) loop
    outcome := null;
    number := 0;
    for statement in select value from jsonb_array_elements_text(item) loop
      begin
        if is_deferrable then set constraints all deferred; end if;
        returned := null;
        execute statement into returned;
        set constraints all immediate;
        outcome := jsonb_build_object('accepted', number, 'returned', returned);
        exit;
      exception when others then
        get stacked diagnostics state = returned_sqlstate, named = constraint_name, table_named = table_name,
          column_named = column_name, message = message_text;
        outcome := coalesce(outcome, jsonb_build_object('state', state, 'constraint', named, 'table', table_named, 'column', column_named, 'message', message));
      end;
      number := number + 1;
    end loop;
    results := results || outcome;
  end loop;
  return to_jsonb(results);
end $migrator$;
create or replace function pg_temp.migrator_draw() returns void language plpgsql as $migrator$
declare one regclass;
begin
  for one in select c.oid from pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind = 'S' and nspname !~ '^pg_' and relpersistence <> 't' loop
    begin
      perform nextval(one), nextval(one), nextval(one);
    exception when others then null;
    end;
  end loop;
end $migrator$`;

/** Creates the functions for the session. They disappear with it. */
export async function createFunctions(session: Session): Promise<void> {
  await session.query(rowsMark + functions);
  // With it, the guard of a scratch database records what the server shares, to compare at the commit.
  await session.query('do $$ begin end $$');
}

/** Values to try as those of one column. */
export interface ValuesToTry {
  readonly type: string;
  readonly column: string;
  /** What they have to meet, in terms of the column. */
  readonly check: string;
  readonly values: readonly string[];
}

/** Returns which values a single column would accept. */
export async function tryValues(session: Session, work: readonly ValuesToTry[]): Promise<boolean[][]> {
  if (work.length === 0) return [];
  const [row] = await session.query<{ accepted: boolean[][] | null }>(
    `${rowsMark}select pg_temp.migrator_accepts($1::jsonb) as accepted`,
    [JSON.stringify(work)],
  );
  return row?.accepted ?? [];
}

/** What became of a statement that was tried: the number of the alternative that was accepted, or the first error. */
export interface TrialOutcome {
  readonly accepted?: number;
  /** What the statement returned; null when it wrote no row. */
  readonly returned?: Readonly<Record<string, string | null>> | null;
  readonly state?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
  readonly message?: string;
}

/** Sends statements; of each list the first that is accepted. */
export async function tryStatements(
  session: Session,
  work: readonly (readonly string[])[],
  isDeferrable: boolean,
): Promise<TrialOutcome[]> {
  if (work.length === 0) return [];
  const [row] = await session.query<{ outcomes: TrialOutcome[] | null }>(
    `${rowsMark}select pg_temp.migrator_insert($1::jsonb, $2) as outcomes`,
    [JSON.stringify(work), isDeferrable],
  );
  return row?.outcomes ?? [];
}

/** Draws three numbers of each sequence that no row uses. */
export async function drawNumbers(session: Session): Promise<void> {
  await session.query(`${rowsMark}select pg_temp.migrator_draw()`);
}
