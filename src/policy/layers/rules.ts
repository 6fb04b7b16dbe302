// Owns the shapes that the layers of tool policy are asked with: the settings as they are written, and who asks from where.

export type Rule = 'deny' | 'ask' | 'allow';
type Lists = { readonly allow?: readonly string[] | undefined; readonly deny: readonly string[] };

/** As the configuration spells them (`tools.*`, and `agents.entries` as `agents`). */
export type ToolRules = Lists & {
  readonly profile?: Profile | undefined;
  /** by place, chat (`telegram:-100123`) or sender (`sender:telegram:123`) */
  readonly policies: Readonly<Record<string, Readonly<Record<string, Rule>>>>;
  readonly exec: { readonly mode?: string | undefined };
  readonly sandbox?: { readonly tools: Lists };
  readonly agents?: Readonly<Record<string, { readonly tools: Lists }>>;
};
export type Profile = 'minimal' | 'messaging' | 'coding' | 'full';

/** Where tools of a conversation run. `access` is what the box sees of the workspace, `key` the setting that says so. */
export type Box = { readonly isBoxed: boolean; readonly access: 'none' | 'ro' | 'rw'; readonly key?: string };
export const OPEN_BOX: Box = { isBoxed: true, access: 'rw' };

/** What is asked about a turn: whose it is and where. `limits` are those of a guest pass. */
export type Asking = {
  readonly principal: {
    readonly kind: string;
    readonly limits: { readonly tools: readonly string[]; readonly folder: string | null } | null;
  };
  readonly place: 'dm' | 'group' | 'channel';
  readonly channel?: string;
  readonly account?: string;
  readonly chat?: string;
  readonly sender?: string;
  readonly agentId?: string;
  readonly box?: Box;
};

/** What one layer says about one tool, and the setting or act by which it says so. */
export type Say = {
  readonly layer: Layer;
  readonly rule: Rule;
  readonly key: string;
  /** one clause */
  readonly why: string;
  /** the one command that opens this layer; '' when it is open, or when nothing opens it */
  readonly fix: string;
};
export const LAYERS = ['profile', 'global', 'exec', 'agent', 'context', 'chat', 'sender', 'guest', 'sandbox'] as const;
export type Layer = (typeof LAYERS)[number];

export const GUEST_PASS = 'openclaw pairing approved';
