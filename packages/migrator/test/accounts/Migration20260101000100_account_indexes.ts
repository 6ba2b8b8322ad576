import { Migration } from '@mikro-orm/migrations';

/** Indexes that are built while others write, with a statement between them that may run in a transaction. */
export class Migration20260101000100_account_indexes extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('create index concurrently account_owner_idx on account (owner)');
    this.addSql('alter table account add opened_at timestamptz');
    this.addSql('create unique index concurrently account_owner_id_key on account (owner, id)');
  }

  override down(): void {
    this.addSql('drop index concurrently account_owner_id_key');
    this.addSql('alter table account drop opened_at');
    this.addSql('drop index concurrently account_owner_idx');
  }
}
