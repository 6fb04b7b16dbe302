// Owns the contract between the agent loop and a language model. A provider converts at this boundary and nowhere
// else; it must never throw after its first event, never retry a request that already produced output, and never log
// prompts or keys.

/** What the model is shown. `stable` is identical from turn to turn so that provider caches hit; `volatile` is not. */
export type ModelRequest = {
  readonly model: string;
  readonly system: { readonly stable: string; readonly volatile: string };
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSchema[];
  readonly maxOutputTokens: number;
  /** groups requests of one conversation for provider-side caching */
  readonly cacheKey: string;
  /** whether a fallback (provider/model) is not to be asked, as its budget is used up */
  isBarred?(model: string): boolean;
};

export type ModelMessage =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls: readonly ModelToolCall[] }
  | {
      readonly role: 'tool';
      readonly results: readonly { callId: string; name: string; text: string; isError: boolean }[];
    };

/** `args` is what the model sent, parsed but not validated; `null` with the beginning of it in `malformed` when it is unusable. */
export type ModelToolCall = {
  readonly id: string;
  readonly name: string;
  readonly args: unknown;
  readonly malformed?: string;
  /** what is wrong with it when it is not that it is no JSON: a clause about the arguments */
  readonly why?: string;
  /** there was a secret in it, which is replaced here: what is left is not what the model meant */
  readonly withheld?: true;
};

/** `parameters` is a JSON Schema object. */
export type ToolSchema = {
  readonly name: string;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
};

/** Tokens. `input` excludes what was read from or written to the provider's cache. */
export type Usage = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

export const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

export type ModelFailure = {
  readonly kind:
    | 'rate_limit'
    | 'overloaded'
    | 'timeout'
    | 'auth'
    | 'billing'
    | 'context_length'
    | 'bad_response'
    | 'network'
    | 'refusal'
    | 'unknown';
  /** one line, no secrets, at most 300 characters */
  readonly message: string;
  readonly httpStatus?: number;
  /** the provider's own wish, in milliseconds from now */
  readonly retryAfterMs?: number;
};

/** `start` comes right before the first output, so it names who really answered; a failure without output has none. */
export type ModelEvent =
  | { readonly type: 'start'; readonly provider: string; readonly model: string }
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'toolCall'; readonly call: ModelToolCall }
  /** from `Models` alone: an attempt that came to nothing has cost this all the same; `model` is `provider/id` */
  | { readonly type: 'spent'; readonly model: string; readonly usage: Usage }
  | {
      readonly type: 'end';
      readonly stop: 'end' | 'tools' | 'length' | 'refusal' | 'aborted' | 'error';
      /** of the attempt that ends here */
      readonly usage: Usage;
      /** from `Models` alone: the `provider/id` that was asked last */
      readonly model?: string;
      readonly failure?: ModelFailure;
    };

export type ModelInfo = {
  readonly provider: string;
  readonly id: string;
  readonly name: string;
  readonly contextTokens: number;
  readonly available: boolean;
};

export interface ModelProvider {
  readonly id: string;
  /** The last event is always `end`; an aborted signal ends the stream with `stop: 'aborted'` within a second. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/** What the agent is handed: one call that already knows primary, fallbacks and retries. `model` is `provider/id`. */
export interface Models {
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  list(): readonly ModelInfo[];
  /** the `provider/id` that a session without an override uses */
  readonly primary: string;
}
