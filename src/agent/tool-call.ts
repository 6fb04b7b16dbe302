// Owns the type that the agent hands on: a call that the model asked for, bound to its turn and to what the model
// had read by then. It carries no permission.
import type { Turn } from '../sessions/turn.ts';
import type { Label } from '../store/label.ts';
import type { Heard } from './heard.ts';

export type ToolCall = {
  readonly turnId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  /** whose turn it is, and where */
  readonly speaker: Turn['speaker'];
  readonly callId: string;
  readonly name: string;
  /** validated by the tool's schema before policy sees it */
  readonly args: unknown;
  /** join of everything that the model had seen when it asked */
  readonly context: Label;
  /** what this run has heard; left out: nothing, so that nothing vouches for anything */
  readonly heard?: () => Heard;
  /** calls of the same answer that come after it and have not begun: what must be asked about them is asked with it */
  readonly ahead?: () => readonly ToolCall[];
};
