// What two servers say about one place in the same words: pure functions, so that each case can be tested.

/** A diagnostic, as far as it matters here; lines count from zero. */
export interface Said {
  readonly firstLine: number;
  readonly lastLine: number;
  readonly message: string;
}

/** What Docker's server puts in front of BuildKit's words. */
const WHERE = /^dockerfile parse error on line \d+: /;

/**
 * Whether all that `other` says stands in `ours` as well, alone or behind a colon: BuildKit's own words for
 * what it refuses. A single word is nobody's quotation.
 */
export function isEcho(ours: Said, other: Said): boolean {
  const words = other.message.replace(WHERE, "").trim();
  const near = other.firstLine <= ours.lastLine && ours.firstLine <= other.lastLine;
  const quoted = ours.message.startsWith(words) || ours.message.includes(`: ${words}`);
  return near && words.includes(" ") && quoted;
}
