// Runs the example service on DATABASE_URL or the embedded PostgreSQL: `node examples/service/main.ts`.
import { openDatabase } from 'synth-lab-data';
import { buildApp } from './app.ts';

const database = await openDatabase();
const app = buildApp(database);

// Graceful shutdown: running requests are answered, new ones refused, then the pool is closed.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void app.close());

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) });
