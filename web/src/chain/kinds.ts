// Written by tools/generate/web_abi.py; do not edit.

/** What an instrument kind is. Nothing else on the page decides by a kind's number or word. */
export interface Kind {
  /** Its name in the service's answers and in files. */
  readonly word: string;
  /** Its name for people. */
  readonly title: string;
  readonly isOption: boolean;
  readonly isCall: boolean;
  readonly hasExpiry: boolean;
  readonly paysFunding: boolean;
}

export const CALL = 0;
export const PUT = 1;
export const FUTURE = 2;
export const PERP = 3;

/** By number. */
export const KINDS: readonly Kind[] = [
  {"word":"call","title":"call","isOption":true,"isCall":true,"hasExpiry":true,"paysFunding":false},
  {"word":"put","title":"put","isOption":true,"isCall":false,"hasExpiry":true,"paysFunding":false},
  {"word":"future","title":"future","isOption":false,"isCall":false,"hasExpiry":true,"paysFunding":false},
  {"word":"perp","title":"perpetual","isOption":false,"isCall":false,"hasExpiry":false,"paysFunding":true},
];
