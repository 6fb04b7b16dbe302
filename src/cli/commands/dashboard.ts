// Owns `openclaw dashboard`: the address of the chat page with the token in its fragment, which browsers never send to
// a server. It prints what it opens and hides nothing.
import { EXIT } from '../../platform/errors.ts';
import { readReport } from '../connect/report.ts';
import type { Context } from '../context.ts';
import { noToken, resolveTarget, type TargetFlags } from '../target.ts';

export async function run(context: Context, options: TargetFlags & { open: boolean }): Promise<number> {
  const { out, env } = context;
  const target = await resolveTarget(options, env);
  // Asking first proves that the gateway runs and takes this token, so that the page opens signed in or not at all.
  await readReport(context, target);
  if (target.token === null) throw noToken(target);
  const url = `${target.httpUrl}/#token=${encodeURIComponent(target.token)}`;
  out.data({ url });
  out.line(url);
  if (options.open && out.streams.stdout.isTTY === true && !out.json) {
    const { openInBrowser } = await import('../../platform/process/browser.ts');
    if (!(await openInBrowser(url, env))) out.note('no browser could be opened here; open the address above');
  }
  return EXIT.ok;
}
