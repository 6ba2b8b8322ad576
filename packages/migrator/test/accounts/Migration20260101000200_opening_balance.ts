import { Migration } from '@mikro-orm/migrations';

/** Changes rows so that it is seen how often it was applied. */
export class Migration20260101000200_opening_balance extends Migration {
  override up(): void {
    this.addSql('update account set balance = balance + 1 where id <= 100');
    this.addSql('update account set balance = balance + 1 where id > 100');
  }

  override down(): void {
    this.addSql('update account set balance = balance - 1');
  }
}
