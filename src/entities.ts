// The entities and the shapes of their JSON columns.
export * from './entities/list.ts';
export * from './entities/shapes.ts';
