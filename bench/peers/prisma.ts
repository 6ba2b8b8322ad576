import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import { seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys } from './rows.ts';

export function prisma(place: Place): Peer {
  // Its default of five seconds is too short on a busy machine.
  const client = new PrismaClient({ adapter: new PrismaPg(place), transactionOptions: { timeout: 60_000 } });
  const summary = {
    id: true,
    name: true,
    hypothesis: true,
    description: true,
    scorecardData: true,
    createdAt: true,
    updatedAt: true,
    analysis: { select: { id: true } },
    guide: { select: { experimentId: true } },
    _count: { select: { executions: true } },
  } as const;
  return {
    name: 'Prisma',
    tasks: {
      'get one by key (read model)': () =>
        client.experiment.findFirst({ where: { id: seeded.experiment, status: 'active' }, select: summary }),
      'get one by key (managed)': () => client.experiment.findUnique({ where: { id: seeded.experiment } }),
      'page of 50 with total and summary flags': () =>
        client.$transaction([
          client.experiment.count({ where: { status: 'active' } }),
          client.experiment.findMany({
            where: { status: 'active' },
            select: summary,
            orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
            take: 50,
            skip: 0,
          }),
        ]),
      '500 outcomes of an analysis (JSON in each)': () =>
        client.outcome.findMany({
          where: { analysisId: seeded.analysis },
          omit: { analysisId: true },
          orderBy: { synthId: 'asc' },
          take: 10_000,
        }),
      'insert one in a transaction': () =>
        client.$transaction((tx) =>
          tx.experiment.create({ data: newExperiment(), select: { status: true, rowVersion: true } }),
        ),
      'insert 5,000 outcomes': () =>
        client.$transaction((tx) => tx.outcome.createMany({ data: newOutcomes() })),
      'load 500, change 200, commit (managed)': () =>
        client.$transaction(async (tx) => {
          const rows = await tx.node.findMany({
            where: { explorationId: seeded.exploration },
            orderBy: { id: 'asc' },
          });
          for (const { id } of rows.slice(0, 200))
            await tx.node.update({ where: { id }, data: { executionTimeSeconds: Math.random() } });
        }),
      'change 200 of 500 by one set-based call': () =>
        client.$transaction((tx) =>
          tx.node.updateMany({ where: { id: { in: nodeKeys } }, data: { nodeStatus: 'dominated' } }),
        ),
    },
    notes: [
      'read model and page: several statements, with the related rows instead of flags',
      'load 500, change 200: one update for each row, which returns it',
      'change 200: returns no keys',
    ],
    close: () => client.$disconnect(),
  };
}
