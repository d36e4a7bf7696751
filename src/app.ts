// The composition root: every module, in the order of their ranks, and the doors around them.

import type { Config } from './config/config.ts';
import { createChangeFeed } from './database/change-feed.ts';
import { type DatabaseOptions, openDatabase } from './database/database.ts';
import { seedDemo } from './demo.ts';
import { fieldsRequiring, schema } from './graphql/schema.ts';
import { createGraphQLHandler } from './graphql/yoga.ts';
import { createEmporixRoutes } from './http/emporix/routes.ts';
import { createForwardAuthRoute } from './http/routes/forward-auth.ts';
import { createGraphiql } from './http/routes/graphiql.ts';
import { createGraphqlRoutes } from './http/routes/graphql.ts';
import { createHealthRoutes } from './http/routes/health.ts';
import { createMetricsRoutes } from './http/routes/metrics.ts';
import { createOauthRoutes } from './http/routes/oauth.ts';
import { createOpenapiRoute } from './http/routes/openapi.ts';
import { createWellKnownRoutes } from './http/routes/well-known.ts';
import { createHttpServer } from './http/server.ts';
import { createMail } from './mail/mail.ts';
import { createMaintenance } from './maintenance.ts';
import { createAdministration } from './modules/administration/administration.ts';
import { createAuditEvents } from './modules/audit/audit-events.ts';
import { createClientAuthentication } from './modules/clients/client-authentication.ts';
import { createClientUsage } from './modules/clients/client-usage.ts';
import { createClients } from './modules/clients/clients.ts';
import { createCompanyProfiles } from './modules/companies/company-profiles.ts';
import { createCompanyRegistration } from './modules/companies/company-registration.ts';
import { createContactAssignments } from './modules/companies/contact-assignments.ts';
import { createInheritedContacts } from './modules/companies/inherited-contacts.ts';
import { createLegalEntities } from './modules/companies/legal-entities.ts';
import { createLocations } from './modules/companies/locations.ts';
import { createCustomerFacts } from './modules/grants/customer-facts.ts';
import { createCustomerSessions } from './modules/grants/customer-session.ts';
import { createGrants } from './modules/grants/index.ts';
import { createRequestToken } from './modules/grants/request-token.ts';
import { createSaasTokens } from './modules/grants/saas.ts';
import { createStartSso } from './modules/grants/start-sso.ts';
import { createTokenPreviews } from './modules/grants/token-preview.ts';
import { createAccessManagement } from './modules/iam/access-management.ts';
import { createSigningKeys } from './modules/keys/signing-keys.ts';
import { createPostOffice } from './modules/letters/post-office.ts';
import { createAttempts } from './modules/limits/attempts.ts';
import { createAccounts } from './modules/principals/accounts.ts';
import { callers } from './modules/principals/callers.ts';
import { createRevocations } from './modules/revocations/revocations.ts';
import { createScopeCatalogue } from './modules/scopes/custom-scopes.ts';
import { createRefreshTokens } from './modules/sessions/refresh-tokens.ts';
import { createSessionContexts } from './modules/sessions/session-context.ts';
import { createSessions } from './modules/sessions/sessions.ts';
import { createSingleSignOn } from './modules/sso/single-sign-on.ts';
import { createTenants } from './modules/tenants/tenants.ts';
import { createContextEncryption } from './modules/tokens/context-encryption.ts';
import { createIntrospection } from './modules/tokens/introspect.ts';
import { createTokenRevocation } from './modules/tokens/revoke.ts';
import { createTokens } from './modules/tokens/tokens.ts';
import type { Logger } from './observability/logger.ts';
import { createTelemetry } from './observability/telemetry.ts';
import type { Siblings } from './worker.ts';

/** The service, put together and not started yet. */
export type App = Awaited<ReturnType<typeof createApp>>;

/** Everything behind the doors: use cases by name. */
export type Modules = App['modules'];

/** What others want otherwise. `print`: letters without a mail server. `siblings`: the other workers on the port. */
export type AppOptions = Pick<DatabaseOptions, 'onQuery' | 'transactionMs'> &
  Pick<Parameters<typeof createAccounts>[0], 'passwordCost'> & { print?: (text: string) => void; siblings?: Siblings };

const toTerminal = (text: string) => void process.stdout.write(text);

/** Opens the database and puts the service together. @throws what a wrong configuration or a locked folder throws */
export async function createApp(config: Config, logger: Logger, options: AppOptions = {}) {
  const { issuer, audience, keyEncryptionSecret, production, workers } = config;
  const { print = toTerminal, passwordCost, siblings, ...databaseOptions } = options;
  const { metrics, tracing, ...watch } = await createTelemetry(config);
  const watched = { production, logger, watch: watch.statement, ...databaseOptions };
  const database = await openDatabase(config.database, watched);
  const changes = createChangeFeed({ database, logger });

  const auditEvents = createAuditEvents({ database, retentionDays: config.auditRetentionDays });
  const signingKeys = createSigningKeys({ database, changes, algorithm: config.signingAlgorithm, keyEncryptionSecret });
  const scopes = createScopeCatalogue({ database, changes });
  const tenants = createTenants({ database, changes, scopes });
  const revocations = createRevocations({ database, changes });
  const attempts = createAttempts({ database });
  const mail = createMail(config.mail, print);
  const { letters, letterTokens, postman } = createPostOffice({ database, links: config.links, logger, mail, tenants });

  const administer = createAdministration({ database, revocations });
  const clients = createClients({ administer, database, changes, revocations, scopes });
  const clientUsage = createClientUsage({ database, logger });
  const clientAuthentication = createClientAuthentication({ database, clients, logger, tenants });
  const sessions = createSessions({ database, revocations });
  const sessionContexts = createSessionContexts({ database, tenants });
  const refreshTokens = createRefreshTokens({ database, retrySeconds: config.refreshRetrySeconds });

  const accounts = createAccounts({
    administer,
    attempts,
    database,
    letters,
    letterTokens,
    revocations,
    sessions,
    tenants,
    workers,
    ...(passwordCost && { passwordCost }),
  });
  const { customers, employees, passwords, registration } = accounts;
  const iam = createAccessManagement({ administer, clients, customers, database, employees, scopes, tenants });
  const { accessAsCode, entitlements, entitlementSources, iamSetUp, memberships, ...access } = iam;

  const inheritedContacts = createInheritedContacts({ tenants });
  const legalEntities = createLegalEntities({ administer, database, inheritedContacts });
  const contactAssignments = createContactAssignments({ administer, database, entitlements, inheritedContacts });
  const locations = createLocations({ administer, database });
  const companyProfiles = createCompanyProfiles({ administer, database, legalEntities, locations });
  const companyRegistration = createCompanyRegistration({ contactAssignments, legalEntities, registration });
  const contextEncryption = createContextEncryption({ keyEncryptionSecret });
  const { clockToleranceSeconds } = config;
  const trusted = { issuer, audience, clockToleranceSeconds, keys: signingKeys, revocations, tenants };
  const counted = { onIssued: metrics.tokenIssued, onVerified: metrics.tokenVerified };
  const { identityAssertions, tokens, verifier } = createTokens({ ...trusted, ...counted, contextEncryption });
  const introspection = createIntrospection({ clients, refreshTokens, verifier, issuer, audience });
  const tokenRevocation = createTokenRevocation({ database, refreshTokens, revocations, sessions, verifier });

  const singleSignOn = createSingleSignOn({
    administer,
    allowPrivate: config.idpPrivateAddresses,
    customers,
    database,
    employees,
    entitlements,
    keyEncryptionSecret,
    memberships,
    revocations,
    sessions,
  });
  const { authorizations, externalIdentities, identityProviders } = singleSignOn;
  const customerFacts = createCustomerFacts({ database, entitlements });
  const customerSessions = createCustomerSessions({
    clients,
    contactAssignments,
    customerFacts,
    database,
    refreshTokens,
    revocations,
    sessions,
    tokens,
  });
  const startSso = createStartSso({ authorizations, customerSessions, identityProviders, tenants, verifier });
  const requestToken = createRequestToken({ clientAuthentication, watch: watch.grant });
  const saasTokens = createSaasTokens({ tenants, tokens });
  const tokenPreviews = createTokenPreviews({ clients, contactAssignments, database, entitlementSources });
  const grants = createGrants({
    attempts,
    clientAuthentication,
    clientUsage,
    clients,
    contactAssignments,
    customerFacts,
    customers,
    customerSessions,
    database,
    employees,
    entitlements,
    legalEntities,
    onReuse: metrics.refreshReused,
    passwords,
    refreshTokens,
    revocations,
    sessions,
    singleSignOn,
    tenants,
    tokens,
    verifier,
  });
  const { emailChange, passwordChange, passwordReset } = accounts;
  const services = {
    ...access,
    auditEvents,
    callers,
    clientUsage,
    clients,
    companyRegistration,
    contactAssignments,
    customers,
    documentOptions: { introspection: config.introspection },
    emailChange,
    employees,
    externalIdentities,
    fieldsRequiring,
    grants,
    identityProviders,
    introspection,
    legalEntities,
    locations,
    memberships,
    passwordChange,
    passwordReset,
    registration,
    requestToken,
    revocations,
    saasTokens,
    scopes,
    sessionContexts,
    sessions,
    signingKeys,
    startSso,
    tenants,
    tokenPreviews,
    tokenRevocation,
  };
  const modules = {
    ...services,
    accessAsCode,
    administer,
    authorizations,
    changes,
    companyProfiles,
    contextEncryption,
    database,
    iamSetUp,
    letterTokens,
    passwords,
    postman,
    refreshTokens,
    verifier,
  };

  const isStillValid = verifier.isStillGood;
  const graphql = createGraphQLHandler({ schema, services, config, logger, tracing, isStillValid });
  metrics.observe({ feedAgeMs: changes.ageMs, queueLength: passwords.queueLength, hashing: passwords.hashing });
  let isStarted = false;
  const checks = [
    { name: 'database', check: () => database.ping().then(() => true) },
    { name: 'revocations', check: () => isStarted && !revocations.isStale() },
    { name: 'keys', check: () => tenants.all().every(({ id }) => signingKeys.hasCurrent(id)) },
  ];
  const graphiql = config.graphiql ? await createGraphiql() : null;
  const routes = [
    ...createGraphqlRoutes({ graphql, page: graphiql?.page ?? null }),
    ...(graphiql?.routes ?? []),
    createForwardAuthRoute({ identityAssertions, logger, revocations, strict: config.forwardAuthStrict, verifier }),
    ...createHealthRoutes({ checks }),
    ...createMetricsRoutes({ metrics: siblings?.addUp(metrics) ?? metrics, readers: config.metrics }),
    ...createOauthRoutes({ ...services, audience, clientAuthentication, issuer }),
    ...(config.emporixCompat ? createEmporixRoutes({ ...services, companyProfiles, verifier }) : []),
    ...createWellKnownRoutes({ publicJwks: signingKeys.publicJwks }),
  ];
  routes.push(createOpenapiRoute({ issuer, routes }));
  const requests = { missed: changes.missed, onAnswered: metrics.answered, tracing };
  const http = createHttpServer({ config, logger, routes, verifyAccessToken: verifier.principal, ...requests });
  const maintenance = createMaintenance({
    attempts,
    auditEvents,
    authorizations,
    database,
    letterTokens,
    logger,
    postman,
    refreshTokens,
    revocations,
    sessions,
    signingKeys,
    tenants,
  });

  return {
    http,
    modules,
    routes,
    /** Resolves when everything is loaded: however long the database stays away. @throws SealedKeyError */
    async start(): Promise<void> {
      await database.ready;
      await signingKeys.requireSecret();
      await changes.start();
      if (config.seedDemo) await seedDemo(modules);
      for (const { id } of tenants.all()) await signingKeys.ensure(id);
      if (mail.notice) logger[mail.isAvailable ? 'info' : 'warn'](mail.notice);
      clientUsage.start();
      maintenance.start();
      await siblings?.allStarted();
      isStarted = true;
    },
    /** After the doors are shut. */
    async stop(): Promise<void> {
      await maintenance.stop();
      await postman.stop();
      await clientUsage.stop();
      await clientAuthentication.stop();
      await changes.stop();
      await database.close();
      await tracing.stop();
    },
  };
}
