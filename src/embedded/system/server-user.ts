/** The user that PostgreSQL's programs run as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}
