import type { MikroORM } from '@mikro-orm/postgresql';

/** The database that a command works on, for display. */
export interface DatabaseLocation {
  /** `user@host:port/database`. */
  readonly database: string;
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
}

/** The command line that the commands are part of. */
export interface CommandHost<P extends DatabaseLocation = DatabaseLocation> {
  /** The prefix of each line on standard error. */
  readonly name: string;
  /** The list that a created migration has to be added to, for the remedy of an unlisted one. */
  readonly migrationList: string;
  /** Runs `work` on the configured database and closes the connections, also after an error. */
  withDatabase<T>(work: (orm: MikroORM, place: P) => Promise<T>): Promise<T>;
  /** Runs `work` with the configuration, without a connection. */
  withoutDatabase<T>(work: (orm: MikroORM) => Promise<T>): Promise<T>;
  /** Returns the line that names the database of a command. */
  describe(place: P): string;
  /** Returns the last line of `up`, such as how to connect with psql; null for none. */
  nextStep(place: P): string | null;
  /** Whether a database, by its name on the server, is for development, so that `down` needs no confirmation. */
  isForDevelopment(place: P, name: string): boolean;
  /** Returns a message with commands and options as the user types them. */
  formatMessage(message: string): string;
  /** Returns the typed command with `--confirm name` added, quoted for a shell. */
  confirmedCommand(name: string): string;
  /** Called with the paths of the migrations that were written, in the order in which they run, and the names of those that they replace. */
  onCreated(paths: readonly string[], replaces: readonly string[]): Promise<void>;
}
