import { shapes } from '../entities/load-shapes.ts';
import type { SynthData } from '../entities/shapes.ts';

/** The description of a field of a synth. */
export interface SynthField {
  /** A property of its summary, or `data.` and the name of a part of its data, for `filters` of `pageSummaries`. */
  readonly name: string;
  readonly type: 'string' | 'datetime' | 'object';
  readonly description: string;
  /** The fields of the part, in the order of its shape; empty for a scalar. */
  readonly nestedFields: readonly string[];
}

/** Returns the fields of a synth. The nested fields are those of the shapes. */
export function synthFields(): SynthField[] {
  const { Demographics, Disabilities, Observables, Psychographics, SimulationAttributes } = shapes();
  return [
    { name: 'id', type: 'string', description: 'Key', nestedFields: [] },
    { name: 'name', type: 'string', description: 'Name to show', nestedFields: [] },
    { name: 'description', type: 'string', description: 'Who it is, in a sentence', nestedFields: [] },
    { name: 'createdAt', type: 'datetime', description: 'When it was made', nestedFields: [] },
    part('demografia', 'Who it is, in the terms of the Brazilian census', Demographics.shape),
    part('psicografia', 'How it thinks and what it likes', Psychographics.shape),
    part('deficiencias', 'Its disabilities, and how severe they are', Disabilities.shape),
    part('observables', 'What can be observed of it; each 0 to 1', Observables.shape),
    part('simulation_attributes', 'What a simulation knows it by', SimulationAttributes.shape),
  ];
}

function part(name: keyof SynthData, description: string, shape: object): SynthField {
  return { name: `data.${name}`, type: 'object', description, nestedFields: Object.keys(shape) };
}
