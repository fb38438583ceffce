// How long an answer may take to begin, beyond a hold: a network may swallow what is sent, and nobody is told.

export const PATIENCE_MS = 10_000;
