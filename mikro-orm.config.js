// The ORM's command line loads this file when it finds no TypeScript loader. Node then loads the other one natively.
export { default } from './mikro-orm.config.ts';
