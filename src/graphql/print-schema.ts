// `npm run schema`: writes schema.graphql at the project's root.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { declaredSchema } from './schema.ts';
import { printSchemaWithAccess } from './schema-printing.ts';

writeFileSync(join(import.meta.dirname, '../../schema.graphql'), printSchemaWithAccess(declaredSchema));
