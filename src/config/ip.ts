// Owns telling addresses from names. Without node:net, whose loading costs a command line more than all that stands here.

/** 4, 6, or 0 for anything else. */
export function isIP(text: string): 0 | 4 | 6 {
  if (/^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/.test(text)) return 4;
  return /^[\da-fA-F:.]{2,45}$/.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`) ? 6 : 0;
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  host === '0:0:0:0:0:0:0:1' ||
  (isIP(host) === 4 && host.startsWith('127.')) ||
  /^::ffff:127\./.test(host);
