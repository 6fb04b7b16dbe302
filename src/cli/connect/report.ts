// Owns asking a gateway for its status report: over HTTP on this machine, where one request is all, and over the
// encrypted protocol elsewhere.
import type { StatusReport } from '../../gateway/backend.ts';
import type { Context } from '../context.ts';
import { withProgress } from '../print/progress.ts';
import type { Target } from '../target.ts';
import { fetchStatus, isReport, notAGateway } from './status-request.ts';

export async function readReport({ out, version }: Context, target: Target): Promise<StatusReport> {
  return withProgress(
    out,
    `asking ${target.address}`,
    target.httpUrl.startsWith('http:') ? fetchStatus(target) : overProtocol(),
  );

  async function overProtocol(): Promise<StatusReport> {
    const { connect } = await import('../client.ts');
    const client = await connect({ target, version, scopes: ['operator.read'] });
    try {
      const report = await client.request('status', {});
      if (isReport(report)) return report;
      throw notAGateway(target, 'its status is not a report');
    } finally {
      client.close();
    }
  }
}
