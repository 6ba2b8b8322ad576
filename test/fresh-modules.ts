import { vi } from 'vitest';

// Runs before each file. What a worker has loaded from packages stays loaded, and is most of it; our modules, and what they
// remember, are those of one file.
vi.resetModules();
