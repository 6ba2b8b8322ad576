import type { LegacyRow, LegacyRows } from '../legacy-file.ts';
import { analyses, ownDocuments, simulations } from './rows-of-analyses.ts';
import { isSince as since, type Shape } from './schema-version.ts';
import { utc, local } from './times.ts';

const json = JSON.stringify;

/**
 * Returns rows for the tables of a file as a version wrote them, those of a later version under other keys. A column that the version's
 * code left to its default is left out.
 */
export function rowsOf(version: string, shape: Shape, tag: string): LegacyRows {
  const all: Record<string, readonly LegacyRow[]> = {
    ...people(version, tag),
    ...interviews(version, tag),
    ...simulations(version, tag),
    ...analyses(tag),
    ...ownDocuments(tag),
  };
  const rows: Record<string, readonly LegacyRow[]> = {};
  for (const [table, columns] of shape) {
    if (!all[table]) throw new Error(`there are no rows of ${table}`);
    const names = new Set(columns.map(({ name }) => name));
    rows[table] = all[table].map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name))),
    );
  }
  return rows;
}

function people(version: string, tag: string): LegacyRows {
  const demografia = {
    idade: 34,
    genero_biologico: 'feminino',
    localizacao: { pais: 'Brasil', regiao: 'Sul', estado: 'PR', cidade: 'Curitiba' },
    renda_mensal: 4120.5,
    ...(since(version, '13') ? {} : { identidade_genero: 'mulher cis' }),
  };
  const psicografia = {
    interesses: ['xadrez', 'música'],
    ...(since(version, '13') ? {} : { personalidade_big_five: { abertura: 61, neuroticismo: 12 } }),
  };
  const deficiencias = { visual: { tipo: 'nenhuma' }, motora: { tipo: 'leve', usa_cadeira_rodas: false } };
  const capacidades_tecnologicas = { alfabetizacao_digital: 80, dispositivos: { principal: 'computador' } };
  const observables = {
    digital_literacy: 0.8,
    similar_tool_experience: 0.4,
    motor_ability: 1,
    time_availability: 0.25,
    domain_expertise: 0.5,
  };
  const sections = { demografia, psicografia, deficiencias, capacidades_tecnologicas };
  const synth = (id: string, day: number): LegacyRow => ({
    id: `${id}${tag}`,
    nome: `Ana "${id}" Gonçalves`,
    arquetipo: 'Adulto Sul Curioso',
    descricao: 'Mulher de 34 anos',
    link_photo: 'https://example.org/a.png',
    created_at: utc(day),
    version: since(version, '13') ? '2.3.0' : '2.0.0',
    synth_group_id: day === 10 ? `grp_0000001${tag}` : null,
  });
  const documents = Object.fromEntries(Object.entries(sections).map(([name, value]) => [name, json(value)]));
  return {
    synth_groups: [
      { id: `grp_0000001${tag}`, name: 'Idosos', description: null, created_at: utc(9) },
      { id: `grp_0000002${tag}`, name: 'Jovens', description: 'De 18 a 25', created_at: utc(9) },
    ],
    synths: [
      {
        ...synth('synth', 10),
        ...documents,
        data: json(since(version, '13') ? { ...sections, observables } : sections),
      },
      // Sections that the generator left empty were not stored.
      {
        ...synth('other', 11),
        demografia: json({ idade: 71 }),
        // Outside the shape of today.
        deficiencias: json({ visual: { tipo: 'total' } }),
        data: json({ demografia: { idade: 71 }, deficiencias: { visual: { tipo: 'total' } } }),
      },
      { ...synth('plain', 12), data: null },
    ],
  };
}

function interviews(version: string, tag: string): LegacyRows {
  const execution = (index: number, experiment: string | null): LegacyRow => ({
    exec_id: `batch_compra_2025121${index}_${tag}`,
    experiment_id: experiment,
    topic_name: 'compra-amazon',
    status: index === 3 ? 'failed' : 'completed',
    synth_count: 2,
    successful_count: index === 3 ? 0 : 2,
    failed_count: index === 3 ? 2 : 0,
    model: 'gpt-5-mini',
    max_turns: 6,
    started_at: local(10 + index),
    completed_at: local(11 + index),
    summary_path: `output/reports/batch_${index}_summary.md`,
    summary_content: index === 3 ? null : `# Summary ${index} ${tag}\n\nFound 😀.`,
    additional_context: index === 1 ? 'Only mobile' : null,
  });
  // The first files were filled from those of interviews, whose messages were kept as they were.
  const words = version === '1' ? 'content' : 'text';
  const messages = json([
    { speaker: 'Interviewer', [words]: 'Olá', internal_notes: null },
    { speaker: 'Ana', [words]: 'Oi! "Tudo" bem?', internal_notes: 'calma' },
  ]);
  const transcript = (batch: number, synth: string): LegacyRow => ({
    exec_id: `batch_compra_2025121${batch}_${tag}`,
    synth_id: `${synth}${tag}`,
    synth_name: `Ana "${synth}" Gonçalves`,
    status: 'completed',
    turn_count: 2,
    timestamp: local(12),
    file_path: `output/transcripts/batch_${batch}/${synth}.json`,
    messages,
  });
  const prfaq = (index: number): LegacyRow => ({
    exec_id: `batch_compra_2025121${index}_${tag}`,
    generated_at: local(14 + index),
    model: 'gpt-5-mini',
    validation_status: 'valid',
    confidence_score: 0.75,
    headline: `Checkout "${index}"`,
    one_liner: 'One page.',
    faq_count: 8,
    markdown_path: `output/reports/batch_${index}_prfaq.md`,
    markdown_content: `# PR-FAQ ${index} ${tag}`,
    json_content: json({ faq: [{ q: 'Why?', a: 'Speed' }] }),
  });
  const failed = { markdown_content: null, json_content: null, headline: null, one_liner: null };
  return {
    research_executions: [
      execution(1, `exp_0000001${tag}`),
      execution(2, `exp_0000001${tag}`),
      execution(3, `exp_0000002${tag}`),
      execution(4, null),
    ],
    transcripts: [
      transcript(1, 'synth'),
      // From the versions in which a name could be missing; and one of a synth that is gone.
      { ...transcript(1, 'other'), ...(since(version, '7') ? {} : { synth_name: null }) },
      transcript(2, 'gone'),
      { ...transcript(4, 'plain'), messages: null, turn_count: 0 },
    ],
    prfaq_metadata: [
      prfaq(1),
      prfaq(2),
      { ...prfaq(3), ...failed, status: 'failed', error_message: 'timeout', started_at: local(17) },
      prfaq(4),
    ],
    topic_guides_cache: [
      {
        name: `compra-${tag}`,
        display_name: 'Compra',
        question_count: 5,
        file_count: 2,
        created_at: local(9),
      },
    ],
    schema_migrations: [1, 2, 3]
      .filter((number) => since(version, String(number)))
      .map((number) => ({ version: number, applied_at: '2025-12-20 16:01:30', description: 'x' })),
    interview_guide: [
      {
        experiment_id: `exp_0000001${tag}`,
        questions: 'Quais?',
        context_examples: null,
        created_at: utc(21),
      },
    ],
  };
}
