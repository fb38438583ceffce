// A list in the order of time, forgotten from the front. No DOM and no network here.

/** Keep items by the time `when(item)`, in ms; items must be added in order. */
export class Timeline {
  constructor(when) {
    this.#when = when;
  }

  #when;
  #items = [];
  #forgotten = 0;
  #start = 0;  // what lies before is forgotten, and swept out now and then

  get length() { return this.#items.length - this.#start; }

  get last() { return this.length ? this.#items.at(-1) : undefined; }

  add(item) { this.#items.push(item); }

  /** Take out an item that turns out not to belong here. */
  remove(item) {
    const index = this.#items.indexOf(item, this.#start);
    if (index >= 0) this.#items.splice(index, 1);
  }

  /** How many items there have ever been up to `at_ms`, forgotten ones included. */
  total(at_ms) { return this.#forgotten + this.count(at_ms); }

  /** The items with numbers `first` to `end`, counted as `total` does, of those still kept. */
  numbered(first, end) { return this.slice(first - this.#forgotten, end - this.#forgotten); }

  /** How many items were there at `at_ms`. */
  count(at_ms) {
    let low = this.#start;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#when(this.#items[middle]) <= at_ms) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  /** The last item of `at_ms` or before, or undefined. */
  at(at_ms) {
    const count = this.count(at_ms);
    return count ? this.#items[this.#start + count - 1] : undefined;
  }

  /** The items after `from_ms`, up to `to_ms`, and `before` items more. */
  between(from_ms, to_ms, before = 0) {
    const first = Math.max(0, this.count(from_ms) - before);
    return this.#items.slice(this.#start + first, this.#start + this.count(to_ms));
  }

  /** The items with index `first` to `end`, of those still kept. */
  slice(first, end) {
    return this.#items.slice(this.#start + Math.max(0, first), this.#start + end);
  }

  /** Forget what lies before `at_ms`, but for the last item: it says how things stood then. */
  forget(at_ms) {
    const count = Math.max(0, this.count(at_ms) - 1);
    this.#forgotten += count;
    this.#start += count;
    if (this.#start < 1024 || this.#start < this.#items.length / 4) return;
    this.#items = this.#items.slice(this.#start);
    this.#start = 0;
  }
}
