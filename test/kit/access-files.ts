// A file of access as code that has one of everything, for a tenant in which eve and tom work.

/** `change` gets a copy, to do with it what it wants. */
export function accessFile(tenant: string, change: (file: any) => void = () => {}): any {
  const file = {
    version: 1,
    customScopes: { 'pim.text_write': { description: 'Write the texts of products.' } },
    roles: { writer: { name: 'Writer', permissionIds: ['read', 'write'] } },
    accessControls: {
      prices: { name: 'Prices', scopes: ['price.price_manage', 'price.price_read'], restrictedTo: 'EMPLOYEE' },
      texts: { name: 'Texts', roleId: 'writer', resourceId: 'pim.text' },
      labels: { name: 'Labels', roleId: 'viewer', resourceId: 'label.label' },
    },
    templates: { editing: { name: 'Editing', accessControlIds: ['labels', 'texts'] } },
    groups: {
      administrators: {
        name: 'Administrators',
        userType: 'EMPLOYEE',
        accessControlIds: ['every-scope'],
        templateIds: [],
        employees: [`admin@${tenant}.example`],
      },
      editors: {
        name: 'Editors',
        userType: 'EMPLOYEE',
        accessControlIds: ['prices'],
        templateIds: ['editing'],
        employees: [`eve@${tenant}.example`, `tom@${tenant}.example`],
      },
      fans: { name: 'Fans', userType: 'CUSTOMER', accessControlIds: ['labels'], templateIds: [] },
    },
  };
  change(file);
  return file;
}
