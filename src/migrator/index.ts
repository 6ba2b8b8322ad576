export * from 'mikro-orm-safe-migrations';
