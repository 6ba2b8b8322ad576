export * from './errors/data-error.ts';
export * from './errors/opening-errors.ts';
export * from './errors/connection-errors.ts';
export * from './errors/repository-errors.ts';
export * from './errors/refused-errors.ts';
export * from './errors/loading-errors.ts';
export * from './errors/unit-errors.ts';
