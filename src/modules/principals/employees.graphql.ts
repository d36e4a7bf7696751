// Employees as the schema shows them.

import { builder } from '../../graphql/builder.ts';
import type { Employee } from './employees.ts';

/** Type `Employee`. Whatever leads on from here to other people declares what it needs. */
export const EmployeeType = builder.objectRef<Employee>('Employee').implement({
  description: 'Somebody who works for the merchant.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the employee.' }),
    email: t.exposeString('email', { description: 'The address to sign in with, in its canonical spelling.' }),
    firstName: t.exposeString('firstName', { description: 'Given name.' }),
    lastName: t.exposeString('lastName', { description: 'Family name.' }),
    enabled: t.exposeBoolean('enabled', {
      description: 'A disabled employee cannot sign in, and every token is refused.',
    }),
  }),
});
