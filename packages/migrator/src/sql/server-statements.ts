import type { FuncCall, Node } from 'libpg-query';
import { parseSql, type ParsedStatement } from './parse-sql.ts';
import { serverFunctions } from './server-functions.ts';

/** A statement, and what decides whether a scratch database may receive it. */
export interface ScratchStatement {
  readonly text: string;
  /** Whether it changes what all databases of a server share, or the server's files. */
  readonly affectsServer: boolean;
  /** Whether it may call functions that users wrote, or execute a block. */
  readonly callsCode: boolean;
  /** The roles that it names. */
  readonly roles: readonly string[];
  /** The statement without its roles, where it can do without; null where it can't. */
  readonly withoutRoles: string | null;
  /** The schema that it creates, without `if not exists`. */
  readonly createsSchema: string | null;
  /** The extension that it creates, changes or comments on, and the schema that it names. */
  readonly extension: { readonly name: string; readonly schema: string | null } | null;
}

// A text without any of these words is not parsed: it may have a million values.
const suspicious =
  /\b(?:schema|extension|role|user|group|grant|revoke|database|tablespace|system|subscription|owner|owned|comment|label|copy|authorization|policy|privileges|do|call|select|execute|explain|perform|lo_export|pg_\w+)\b/i;

// Every comparison sends the same long queries to its scratch databases: those that read a catalog. Parsing one takes longer than to run it.
const recent = new Map<string, Promise<ScratchStatement[] | null>>();
const recentLimit = 64;
const recentLength = 100_000;

/**
 * Returns the statements of a text; null if nothing in it affects a server, names a role or calls code, or if PostgreSQL's grammar can't
 * parse it. The results of the texts used last are kept.
 */
export async function scratchStatements(sql: string): Promise<readonly ScratchStatement[] | null> {
  if (!suspicious.test(sql)) return null;
  if (sql.length > recentLength) return parseScratchStatements(sql);
  const statements = recent.get(sql) ?? parseScratchStatements(sql);
  // Inserted last again, so that the first is the one not used for longest.
  recent.delete(sql);
  recent.set(sql, statements);
  const [oldest = ''] = recent.keys();
  if (recent.size > recentLimit) recent.delete(oldest);
  return statements;
}

async function parseScratchStatements(sql: string): Promise<ScratchStatement[] | null> {
  const statements = (await parseSql(sql))?.map(toScratchStatement) ?? null;
  const isNotable = statements?.some(
    ({ affectsServer, callsCode, roles, createsSchema, extension }) =>
      affectsServer || callsCode || roles.length > 0 || createsSchema !== null || extension !== null,
  );
  return isNotable === true ? statements : null;
}

function toScratchStatement({ text, node }: ParsedStatement): ScratchStatement {
  const found = { functions: new Set<string>(), roles: new Set<string>() };
  collect(node, found);
  const [kind = ''] = Object.keys(node);
  return {
    text,
    affectsServer:
      serverKinds.has(kind) || isOnServerObject(node) || [...found.functions].some(isServerFunction),
    callsCode: codeKinds.has(kind),
    roles: [...found.roles, ...roleToSet(node)],
    withoutRoles: schemaWithoutOwner(node),
    createsSchema: createdSchema(node),
    extension: extensionOf(node),
  };
}

// `drop owned` also revokes what the role was granted on databases and tablespaces.
const serverKinds: ReadonlySet<string> = new Set([
  'CreateRoleStmt',
  'AlterRoleStmt',
  'AlterRoleSetStmt',
  'DropRoleStmt',
  'GrantRoleStmt',
  'CreatedbStmt',
  'DropdbStmt',
  'AlterDatabaseStmt',
  'AlterDatabaseSetStmt',
  'AlterDatabaseRefreshCollStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
  'AlterTableSpaceOptionsStmt',
  'AlterSystemStmt',
  'CreateSubscriptionStmt',
  'AlterSubscriptionStmt',
  'DropSubscriptionStmt',
  'ReassignOwnedStmt',
  'DropOwnedStmt',
]);

const codeKinds: ReadonlySet<string> = new Set([
  'DoStmt',
  'CallStmt',
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExecuteStmt',
  'ExplainStmt',
  'CreateTableAsStmt',
]);

const serverObjects: ReadonlySet<string | undefined> = new Set([
  'OBJECT_ROLE',
  'OBJECT_DATABASE',
  'OBJECT_TABLESPACE',
  'OBJECT_SUBSCRIPTION',
  'OBJECT_PARAMETER_ACL',
]);

function isOnServerObject(node: Node): boolean {
  if ('GrantStmt' in node) return serverObjects.has(node.GrantStmt.objtype);
  if ('CommentStmt' in node) return serverObjects.has(node.CommentStmt.objtype);
  if ('SecLabelStmt' in node) return serverObjects.has(node.SecLabelStmt.objtype);
  if ('RenameStmt' in node) return serverObjects.has(node.RenameStmt.renameType);
  if ('AlterOwnerStmt' in node) return serverObjects.has(node.AlterOwnerStmt.objectType);
  if ('CopyStmt' in node) {
    const { is_program: isProgram = false, is_from: isFrom = false, filename } = node.CopyStmt;
    return isProgram || (filename !== undefined && !isFrom);
  }
  return false;
}

function isServerFunction(name: string): boolean {
  return serverFunctions.includes(name);
}

/** Collects the names of functions and roles in a tree. */
function collect(
  tree: unknown,
  found: { readonly functions: Set<string>; readonly roles: Set<string> },
): void {
  if (typeof tree !== 'object' || tree === null) return;
  if ('FuncCall' in tree) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the grammar's node of that name
    const { funcname = [] } = tree.FuncCall as FuncCall;
    const name = funcname.at(-1);
    if (name && 'String' in name) found.functions.add(name.String.sval ?? '');
  }
  if ('roletype' in tree && 'rolename' in tree && typeof tree.rolename === 'string')
    found.roles.add(tree.rolename);
  for (const child of Object.values(tree)) collect(child, found);
}

/** Returns the role of `set role` and `set session authorization`. */
function roleToSet(node: Node): string[] {
  if (!('VariableSetStmt' in node)) return [];
  const { name, args: [value] = [] } = node.VariableSetStmt;
  if (name !== 'role' && name !== 'session_authorization') return [];
  const role = value && 'A_Const' in value ? value.A_Const.sval?.sval : undefined;
  return role === undefined || role === 'none' ? [] : [role];
}

function createdSchema(node: Node): string | null {
  if (!('CreateSchemaStmt' in node)) return null;
  const { schemaname, authrole, if_not_exists: isOptional = false } = node.CreateSchemaStmt;
  return isOptional ? null : (schemaname ?? authrole?.rolename ?? null);
}

function extensionOf(node: Node): ScratchStatement['extension'] {
  if ('CreateExtensionStmt' in node) {
    const { extname = '', options = [] } = node.CreateExtensionStmt;
    const schema = options.flatMap((option) =>
      'DefElem' in option &&
      option.DefElem.defname === 'schema' &&
      option.DefElem.arg &&
      'String' in option.DefElem.arg
        ? [option.DefElem.arg.String.sval ?? '']
        : [],
    )[0];
    return { name: extname, schema: schema ?? null };
  }
  if ('AlterExtensionStmt' in node) return { name: node.AlterExtensionStmt.extname ?? '', schema: null };
  if ('AlterObjectSchemaStmt' in node && node.AlterObjectSchemaStmt.objectType === 'OBJECT_EXTENSION')
    return {
      name: stringIn(node.AlterObjectSchemaStmt.object),
      schema: node.AlterObjectSchemaStmt.newschema ?? null,
    };
  if ('CommentStmt' in node && node.CommentStmt.objtype === 'OBJECT_EXTENSION')
    return { name: stringIn(node.CommentStmt.object), schema: null };
  return null;
}

function stringIn(node: Node | undefined): string {
  return node && 'String' in node ? (node.String.sval ?? '') : '';
}

// Later statements create objects in the schema, which any role may own.
function schemaWithoutOwner(node: Node): string | null {
  if (!('CreateSchemaStmt' in node)) return null;
  const { schemaname, authrole, if_not_exists: isOptional, schemaElts = [] } = node.CreateSchemaStmt;
  const name = schemaname ?? authrole?.rolename;
  if (name === undefined || schemaElts.length > 0) return null;
  return `create schema ${isOptional ? 'if not exists ' : ''}"${name.replaceAll('"', '""')}"`;
}
