// Owns the word for what is not taken over: always named, with its reason.

export type LeftOut = {
  readonly key: string;
  readonly why: string;
  /** it was about security, or is lost */
  readonly loud: boolean;
};
