// The entities and the shapes of their JSON columns.
export * from './entity-list.ts';
export * from './entities/shapes.ts';
