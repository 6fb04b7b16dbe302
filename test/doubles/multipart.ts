// Owns reading multipart/form-data in doubles: text fields, and files with their names.

export function parseForm(
  body: Buffer,
  contentType: string,
): { fields: Record<string, string>; files: { name: string; bytes: Uint8Array }[] } {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) throw new Error('no boundary');
  const fields: Record<string, string> = {};
  const files: { name: string; bytes: Uint8Array }[] = [];
  const mark = Buffer.from(`--${boundary}`);
  let at = body.indexOf(mark);
  while (at !== -1) {
    const next = body.indexOf(mark, at + mark.length);
    if (next === -1) break;
    const part = body.subarray(at + mark.length + 2, next - 2);
    const split = part.indexOf('\r\n\r\n');
    const head = part.subarray(0, split).toString('utf8');
    const content = part.subarray(split + 4);
    const fileName = /filename="?([^"\r\n;]*)"?/i.exec(head)?.[1];
    const name = /[; ]name="?([^"\r\n;]*)"?/i.exec(head)?.[1] ?? '';
    if (fileName === undefined) fields[name] = content.toString('utf8');
    else files.push({ name: decodeURIComponent(fileName), bytes: new Uint8Array(content) });
    at = next;
  }
  return { fields, files };
}
