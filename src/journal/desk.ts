// Owns what may be asked of the record, in one form for the gateway and for a command without one. What is shown passes
// through hiding, since a secret may have become known after it was written down.
import { type Noted, type Rows, type Verified, verifyChain } from './chain.ts';
import { readHead } from './head.ts';
import { type Asked, type Query, readLog, type Told } from './reading.ts';
import { type Report, readReport } from './report.ts';

export type RecordDesk = {
  log(query: Query): Promise<{ readonly entries: readonly Told[]; readonly total: number }>;
  report(asked: Asked): Promise<Report>;
  verify(noted: Noted | null): Promise<Verified>;
};

export type RecordPorts = {
  readonly rows: Rows;
  readonly headPath: string;
  /** whoever writes the journal runs now */
  readonly isLive: boolean;
  readonly now: () => number;
  hide<T>(value: T): T;
};

export const openRecord = ({ rows, headPath, isLive, now, hide }: RecordPorts): RecordDesk => ({
  log: async (query) => hide(await readLog(rows, query, now())),
  report: async (asked) => hide(await readReport(rows, asked, now())),
  verify: (noted) => verifyChain(rows, readHead(headPath), { isLive, noted }),
});
