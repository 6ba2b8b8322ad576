import { Migration } from '@mikro-orm/migrations';

/** Accounts, and some rows. */
export class Migration20260101000000_accounts extends Migration {
  override up(): void {
    this.addSql('create table account (id int primary key, owner text not null, balance int not null)');
    this.addSql(`insert into account select n, 'owner ' || n, 0 from generate_series(1, 200) n`);
  }

  override down(): void {
    this.addSql('drop table account');
  }
}
