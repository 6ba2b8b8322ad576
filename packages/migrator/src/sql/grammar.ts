// The nodes of PostgreSQL's grammar that other folders read.
export type {
  AlterDomainStmt,
  AlterTableCmd,
  AlterTableStmt,
  ColumnDef,
  Constraint,
  CreateStmt,
  IndexElem,
  IndexStmt,
  Node,
  PartitionBoundSpec,
  RangeVar,
  RenameStmt,
  TypeName,
} from 'libpg-query';
