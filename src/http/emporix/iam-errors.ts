// Refusals of IAM where it has words of its own. Its operations list 409 for an id that is taken and for nothing else;
// what the state does not allow is a 400 there, and where something is deleted, which lists no 400, a 403.

import { DomainError, forbidden } from '../../errors/domain-error.ts';
import type { BuiltInScope } from '../../modules/scopes/registry.ts';
import type { ErrorRenderer } from '../oauth-response.ts';
import type { EmporixAnswer } from './emporix-route.ts';
import { iamErrors, reasonOf } from './families.ts';

/** As clients of the platform look for it. */
const words: Readonly<Record<string, object>> = {
  ID_TAKEN: { message: 'Duplicated key', details: ['There is one of that id already.'] },
  ROLE_TAKEN: { message: 'Cannot assign customer to more than one predefined functional group of a legal entity.' },
  GROUP_HAS_MEMBERS: {
    code: 404,
    message: 'Constraint validation failed',
    details: [
      "Could not delete a group with assigned users. Please use the 'forceDelete' query param with token containing the `iam.assignment_manage` scope to delete the group and group assignments or clean up the group assignments first.",
    ],
  },
};

/**
 * Errors of an operation of IAM.
 * @param resource the path's parameter that names what the operation is about
 * @param ofConflict the status of what the state does not allow
 */
export function errorsOf(resource?: string, ofConflict: 400 | 403 = 400): ErrorRenderer {
  const usual = iamErrors(resource);
  return (error, request) => {
    const answer = usual(error, request);
    if (!(error instanceof DomainError && error.code === 'CONFLICT')) return answer;
    const { reason = '', details } = error;
    const status = reason === 'ID_TAKEN' ? 409 : ofConflict;
    const named = 'id' in details ? { resourceId: details.id } : {};
    const body = { ...(answer.body as object), ...named, code: status, status: reasonOf(status), ...words[reason] };
    return { ...answer, status, body };
  };
}

/**
 * The answer to a deletion: what is to be gone is gone, also when it was not there.
 * @param lacked what would let the caller know that: without it, what is not there and what is not theirs are refused alike
 */
export async function deleted(work: Promise<unknown>, lacked?: BuiltInScope): Promise<EmporixAnswer> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'NOT_FOUND')) throw error;
    if (lacked) throw forbidden([[lacked]], [lacked]);
  }
  return { status: 204 };
}
