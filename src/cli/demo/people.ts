import type { Demographics, LatentTraits, Observables, SimulationAttributes } from '../../entities/index.ts';
import type { Random } from './random.ts';

const womenNames = [
  'Maria',
  'Ana',
  'Francisca',
  'Antônia',
  'Adriana',
  'Juliana',
  'Márcia',
  'Fernanda',
  'Conceição',
  'Luíza',
];
const menNames = [
  'José',
  'João',
  'Antônio',
  'Francisco',
  'Carlos',
  'Paulo',
  'Pedro',
  'Lucas',
  'Luís',
  'Marcos',
];
const surnames = [
  'Silva',
  'Santos',
  'Oliveira',
  'Souza',
  'Rodrigues',
  'Ferreira',
  'Alves',
  'Pereira',
  'Gonçalves',
  'Araújo',
];

// Weights after the 2022 census.
const places = [
  [41.8, { regiao: 'Sudeste', estado: 'SP', cidade: 'São Paulo' }],
  [26.9, { regiao: 'Nordeste', estado: 'BA', cidade: 'Salvador' }],
  [14.7, { regiao: 'Sul', estado: 'PR', cidade: 'Curitiba' }],
  [8.5, { regiao: 'Norte', estado: 'PA', cidade: 'Belém' }],
  [8.0, { regiao: 'Centro-Oeste', estado: 'GO', cidade: 'Goiânia' }],
] as const;
const ethnicities = [
  [45.3, 'pardo'],
  [43.5, 'branco'],
  [10.2, 'preto'],
  [0.6, 'indígena'],
  [0.4, 'amarelo'],
] as const;
const ages = [
  [26, [15, 29]],
  [27, [30, 44]],
  [24, [45, 59]],
  [23, [60, 88]],
] as const;
const schooling = [
  [6.8, 'Sem instrução'],
  [32.9, 'Fundamental completo'],
  [31.4, 'Médio completo'],
  [28.9, 'Superior completo'],
] as const;
const families = [
  [15, 'unipessoal'],
  [20, 'casal sem filhos'],
  [35, 'casal com filhos'],
  [18, 'monoparental'],
  [12, 'multigeracional'],
] as const;
const jobs = [
  [1, 'Professora'],
  [1, 'Vendedor'],
  [1, 'Enfermeira'],
  [1, 'Motorista'],
  [1, 'Analista de sistemas'],
  [1, 'Aposentada'],
] as const;
const literacy = {
  'Sem instrução': 0.2,
  'Fundamental completo': 0.4,
  'Médio completo': 0.6,
  'Superior completo': 0.78,
} as const;

/** A made-up Brazilian: name, one line about them, and what a simulation knows them by. */
export interface Person {
  readonly name: string;
  readonly description: string;
  readonly demographics: Demographics;
  readonly attributes: SimulationAttributes;
}

/** The next person of the crowd that `random` stands for. */
export function person(random: Random): Person {
  const woman = random.next() < 0.515;
  const name = `${oneOf(random, woman ? womenNames : menNames)} ${oneOf(random, surnames)} ${oneOf(random, surnames)}`;
  const [youngest, oldest] = random.pick(ages);
  const age = random.integer(youngest, oldest);
  const school = random.pick(schooling);
  const place = random.pick(places);
  const demographics: Demographics = {
    idade: age,
    genero_biologico: woman ? 'feminino' : 'masculino',
    raca_etnia: random.pick(ethnicities),
    localizacao: { pais: 'Brasil', ...place },
    escolaridade: school,
    renda_mensal: random.integer(12, 90) * 100,
    ocupacao: random.pick(jobs),
    composicao_familiar: { tipo: random.pick(families), numero_pessoas: random.integer(1, 6) },
  };
  const observables: Observables = {
    digital_literacy: random.rate(literacy[school] - (age > 59 ? 0.15 : 0), 0.25),
    similar_tool_experience: random.rate(literacy[school] - 0.1, 0.3),
    motor_ability: random.rate(age > 59 ? 0.75 : 0.95, 0.1),
    time_availability: random.rate(0.5, 0.35),
    domain_expertise: random.rate(0.5, 0.3),
  };
  return {
    name,
    description: `${woman ? 'Mulher' : 'Homem'} de ${age} anos, ${place.cidade} (${place.estado})`,
    demographics,
    attributes: { observables, latent_traits: traits(observables) },
  };
}

function traits(seen: Observables): LatentTraits {
  const { digital_literacy: digital, similar_tool_experience: experience } = seen;
  return {
    capability_mean: round(
      0.4 * digital + 0.35 * experience + 0.15 * seen.motor_ability + 0.1 * seen.domain_expertise,
    ),
    trust_mean: round(0.6 * experience + 0.4 * digital),
    friction_tolerance_mean: round(0.4 * seen.time_availability + 0.35 * digital + 0.25 * experience),
    exploration_prob: round(0.5 * digital + 0.3 * (1 - experience) + 0.2 * seen.time_availability),
  };
}

function round(value: number): number {
  return Number(value.toFixed(3));
}

function oneOf(random: Random, names: readonly string[]): string {
  return random.pick(names.map((name): [number, string] => [1, name]));
}
