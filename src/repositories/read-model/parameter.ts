/** The placeholder of a value in a statement that is compiled once and run with many values. */
export class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}
