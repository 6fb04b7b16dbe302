// Owns what a plain mail address is: one strict grammar for those who read mail and those who write it. It must never take
// what two readers could understand differently: no comments, no quoted names, nothing but ASCII.

const ADDRESS =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** In lower case, or null; no comments, no quoted local parts, no domain literals. */
export function addressOf(text: string): string | null {
  const address = text.toLowerCase();
  return address.length <= 254 && ADDRESS.test(address) ? address : null;
}

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);
