import { defineConfig } from 'prisma/config';

// oxlint-disable-next-line import/no-default-export -- Prisma reads it
export default defineConfig({ schema: 'schema.prisma' });
