// Owns the shapes in which MCP servers are told of: to status, to the command line, to the owner who approves. Data only.

export type ToolReport = {
  /** as the server calls it */
  readonly tool: string;
  /** as the model calls it */
  readonly name: string;
  readonly state: 'approved' | 'new' | 'changed' | 'left out';
  readonly why: string;
  readonly description: string;
  readonly schema: object;
  /** of its words, its arguments, and the program or address behind it */
  readonly hash: string;
  /** what the settings declare; null: nothing, so every call asks */
  readonly effect: string | null;
};

export type McpReport = {
  readonly name: string;
  readonly kind: 'stdio' | 'http';
  readonly state: 'off' | 'starting' | 'ready' | 'down';
  readonly problem: string | null;
  readonly tools: readonly ToolReport[];
};
