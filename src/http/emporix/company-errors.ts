// What Customer Management says of errors, in the texts of the platform and with the statuses that it lists.

import { badInput, DomainError } from '../../errors/domain-error.ts';
import type { ErrorRenderer } from '../oauth-response.ts';
import { iamErrors } from './families.ts';

const FORBIDDEN = 'The access to the given resource is forbidden.';
const exists = ['LEGAL_ENTITY_EXISTS', 'CONTACT_EXISTS', 'LOCATION_EXISTS'];

function asOfPlatform(error: unknown, missingText: string): unknown {
  if (!(error instanceof DomainError)) return error;
  const { code, reason = '', message } = error;
  if (exists.includes(reason)) return new DomainError('CONFLICT', 'Given resource already exists.', { reason });
  // It lists no 409 where something is deleted.
  if (reason === 'HAS_SUBSIDIARIES') return badInput('legalEntityId', message);
  return code === 'NOT_FOUND' ? new DomainError(code, missingText) : error;
}

/** @param resource the path's parameter; none: the list */
export const companyErrors =
  (missingText: string, resource?: string): ErrorRenderer =>
  (error, request) => {
    const answer = iamErrors(resource)(asOfPlatform(error, missingText), request);
    if (answer.status !== 403) return answer;
    return { ...answer, body: { ...(answer.body as object), message: FORBIDDEN } };
  };
