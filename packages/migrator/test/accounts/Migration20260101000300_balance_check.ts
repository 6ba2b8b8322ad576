import { Migration } from '@mikro-orm/migrations';

/** Balances are not negative. */
export class Migration20260101000300_balance_check extends Migration {
  override up(): void {
    this.addSql('alter table account add constraint account_balance_check check (balance >= 0)');
  }

  override down(): void {
    this.addSql('alter table account drop constraint account_balance_check');
  }
}
