import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonObjects, keys } from './checks.ts';
import { id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

export const documentTypes = ['summary', 'prfaq', 'executive_summary'] as const;

export const documentStatuses = ['pending', 'generating', 'completed', 'failed', 'partial'] as const;

export const ExperimentDocumentSchema = defineEntity({
  name: 'ExperimentDocument',
  tableName: 'experiment_documents',
  properties: {
    id: id('doc'),
    experiment: () => p.manyToOne(Experiment).ref().deleteRule('cascade'),
    documentType: p.enum(documentTypes).index('idx_experiment_documents_type'),
    markdownContent: p.text(),
    metadata: jsonColumn(() => shapes().JsonObject).nullable(),
    generatedAt: instant(),
    model: p.text().default('gpt-4o-mini'),
    status: p.enum(documentStatuses).default('completed').index('idx_experiment_documents_status'),
    errorMessage: p.text().nullable(),
    ...rowVersion,
  },
  uniques: [{ name: 'uq_experiment_documents_exp_type', properties: ['experiment', 'documentType'] }],
  checks: checks('experiment_documents', { ...keys('id'), ...jsonObjects('metadata') }),
  triggers: [incrementsRowVersion],
});

/** A text in Markdown, generated for an experiment; empty during its generation. An experiment has one of each type at most. */
export class ExperimentDocument extends ExperimentDocumentSchema.class {}
ExperimentDocumentSchema.setClass(ExperimentDocument);
