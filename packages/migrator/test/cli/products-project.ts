import type { TestDatabase } from '../kit/database.ts';
import { InstalledProject } from '../kit/installed-project.ts';

const configuration = `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
const Product = defineEntity({ name: 'Product', properties: { id: p.integer().primary(), name: p.string() } });
export default [
  defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Product] }),
  (contextName: string) => contextName === 'other' && { contextName, dbName: 'other', host: 'nowhere.invalid' },
];`;

/** Creates a project with one entity, and one more configuration, whose server does not exist. */
export function productsProject({ url }: TestDatabase): Promise<InstalledProject> {
  return InstalledProject.create({ 'mikro-orm.config.ts': configuration }, { DATABASE_URL: url });
}
