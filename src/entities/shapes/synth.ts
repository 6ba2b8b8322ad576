import { z } from 'zod';
import { rate } from './shared.ts';

/** The observable attributes of a synth; each 0 to 1. */
export const Observables = z.looseObject({
  digital_literacy: rate,
  similar_tool_experience: rate,
  motor_ability: rate,
  time_availability: rate,
  domain_expertise: rate,
});
export type Observables = z.infer<typeof Observables>;

/** The traits that are derived from the observables; each 0 to 1. */
export const LatentTraits = z.looseObject({
  capability_mean: rate,
  trust_mean: rate,
  friction_tolerance_mean: rate,
  exploration_prob: rate,
});
export type LatentTraits = z.infer<typeof LatentTraits>;

/** The attributes of a synth for a simulation. */
export const SimulationAttributes = z.looseObject({ observables: Observables, latent_traits: LatentTraits });
export type SimulationAttributes = z.infer<typeof SimulationAttributes>;

/** The demographics of a synth, in the terms of the Brazilian census. */
export const Demographics = z.looseObject({
  idade: z.int().min(0).max(120).optional(),
  genero_biologico: z.enum(['masculino', 'feminino', 'intersexo']).optional(),
  identidade_genero: z.string().nullish(),
  raca_etnia: z.enum(['branco', 'pardo', 'preto', 'amarelo', 'indígena']).optional(),
  localizacao: z
    .looseObject({
      pais: z.string().optional(),
      regiao: z.enum(['Norte', 'Nordeste', 'Centro-Oeste', 'Sudeste', 'Sul']).optional(),
      estado: z.string().length(2).optional(),
      cidade: z.string().optional(),
    })
    .optional(),
  escolaridade: z
    .enum([
      'Sem instrução',
      'Fundamental incompleto',
      'Fundamental completo',
      'Médio incompleto',
      'Médio completo',
      'Superior incompleto',
      'Superior completo',
      'Pós-graduação',
    ])
    .optional(),
  renda_mensal: z.number().min(0).optional(),
  ocupacao: z.string().optional(),
  estado_civil: z.enum(['solteiro', 'casado', 'união estável', 'divorciado', 'viúvo']).optional(),
  composicao_familiar: z
    .looseObject({
      tipo: z
        .enum([
          'unipessoal',
          'casal sem filhos',
          'casal com filhos',
          'monoparental',
          'multigeracional',
          'outros',
        ])
        .optional(),
      numero_pessoas: z.int().min(1).max(15).optional(),
    })
    .optional(),
});
export type Demographics = z.infer<typeof Demographics>;

const percent = z.number().min(0).max(100);

/** The personality and the interests of a synth. */
export const Psychographics = z.looseObject({
  interesses: z.array(z.string()).optional(),
  contrato_cognitivo: z
    .looseObject({
      tipo: z
        .enum(['factual', 'narrador', 'desconfiado', 'racionalizador', 'impaciente', 'esforçado_confuso'])
        .optional(),
      perfil_cognitivo: z.string().optional(),
      regras: z.array(z.string()).optional(),
      efeito_esperado: z.string().optional(),
    })
    .optional(),
  personalidade_big_five: z
    .looseObject({
      abertura: percent.optional(),
      conscienciosidade: percent.optional(),
      extroversao: percent.optional(),
      amabilidade: percent.optional(),
      neuroticismo: percent.optional(),
    })
    .optional(),
});
export type Psychographics = z.infer<typeof Psychographics>;

const severities = ['nenhuma', 'leve', 'moderada', 'severa'] as const;
const disability = z.looseObject({ tipo: z.enum(severities) });

/** The disabilities of a synth, with their severity. */
export const Disabilities = z.looseObject({
  visual: z.looseObject({ tipo: z.enum([...severities, 'cegueira']) }).optional(),
  auditiva: z.looseObject({ tipo: z.enum([...severities, 'surdez']) }).optional(),
  motora: disability.optional(),
  cognitiva: disability.optional(),
});
export type Disabilities = z.infer<typeof Disabilities>;

/** Shape of `synths.data`. Unknown parts are absent. */
export const SynthData = z.looseObject({
  demografia: Demographics.optional(),
  psicografia: Psychographics.optional(),
  deficiencias: Disabilities.optional(),
  observables: Observables.optional(),
  simulation_attributes: SimulationAttributes.optional(),
});
export type SynthData = z.infer<typeof SynthData>;
