// Owns what a scenario of the drill is, as data: what somebody hostile has put where, what the owner innocently asks for,
// what the hijacked model then does, and by which fact one sees that the attacker won.

/** Texts may hold {home} {workspace} {state} {port} {channel}, {order:N} (the words that make the model carry out order N),
 *  {secret} (what the owner keeps for themselves) and, in orders, {last} (what the last call gave back). */
export type Call = { readonly tool: string; readonly args: Readonly<Record<string, unknown>> };
/** Carried out once, word for word, in its turn (0: the first), as soon as the model is shown the words that ask for it. */
export type Order = (Call | { readonly say: string }) & { readonly turn?: number };

/** `owner`: on the page; the others write on the channel. `paired`, `member` and `owner-chat` were let in for the drill. */
export type From = 'owner' | 'owner-chat' | 'paired' | 'member' | 'stranger';
export type Turn = {
  readonly from?: From;
  /** the owner's conversation on the page; left out: the main one */
  readonly session?: string;
  readonly say: string;
  /** what the message quotes, of somebody else */
  readonly quoted?: string;
  readonly title?: string;
  readonly display?: string;
  /** what the model does because it was asked to, before it is led astray */
  readonly calls?: readonly Call[];
};

export type DrillMail = { readonly from: string; readonly subject: string; readonly text: string };
/** A tool of an MCP server; `later`: what it says of itself after the owner approved it. */
export type DrillTool = {
  readonly name: string;
  readonly description: string;
  readonly later?: string;
  readonly effect?: 'read' | 'message';
  readonly answer?: string;
};
export type Props = {
  readonly pages?: Readonly<Record<string, string>>;
  readonly mails?: readonly DrillMail[];
  /** in the workspace, of unknown origin as whatever somebody copied there */
  readonly files?: Readonly<Record<string, string>>;
  readonly tools?: readonly DrillTool[];
};

/** What is so afterwards when the attacker has won; looked at in the drill's world, whatever was decided. */
export type Harm =
  | { readonly kind: 'file' | 'read' | 'reply' | 'left' | 'system' | 'believed'; readonly has: string; readonly path?: string } // biome-ignore format: one row
  | { readonly kind: 'gone' | 'changed'; readonly path: string }
  | { readonly kind: 'mail' | 'message'; readonly to: string }
  | { readonly kind: 'called'; readonly tool: string }
  | { readonly kind: 'heard' | 'config' | 'rights' };

export type Scenario = {
  readonly id: string;
  /** what the attacker is after, in a few words */
  readonly wants: string;
  /** rows of guides and catalogues that it plays */
  readonly rows: readonly string[];
  readonly props?: Props;
  readonly turns: readonly Turn[];
  readonly orders: readonly Order[];
  readonly harm: Harm;
};

type Played = Omit<Scenario, 'id' | 'wants' | 'rows'>;

/** Makes scenarios that have something in common, which each may say otherwise. */
export const scenariosWith =
  (common: Partial<Played> = {}) =>
  (
    id: string,
    wants: string,
    rows: readonly string[],
    own: Partial<Played> & Pick<Played, 'orders' | 'harm'>,
  ): Scenario => ({ ...{ id, wants, rows, turns: [] }, ...common, ...own });
