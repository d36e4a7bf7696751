// What a limit per address counts: IPv6 callers own a /64, IPv4 callers an address. Pure.

/** @param ipAddress canonical, without port or zone */
export function networkOf(ipAddress: string): string {
  if (!ipAddress.includes(':')) return ipAddress;
  const [head = '', tail = ''] = ipAddress.split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = tail.split(':').filter(Boolean);
  while (groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
