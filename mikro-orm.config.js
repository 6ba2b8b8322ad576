// The ORM's command line looks for this file where it finds no loader for TypeScript. Node then loads the other by itself.
export { default } from './mikro-orm.config.ts';
