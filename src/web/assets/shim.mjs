// What browsers since Chromium 90 lack of what the other modules use. Wall displays and tablets are seldom new.

/** @param {object} prototype @param {string} name @param {Function} what */
function add(prototype, name, what) {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value: what, writable: true, configurable: true });
}

function at(index) {
  const whole = Math.trunc(index) || 0;
  return this[whole < 0 ? this.length + whole : whole];
}

function findLastIndex(test) {
  for (let i = this.length - 1; i >= 0; i -= 1) if (test(this[i], i, this)) return i;
  return -1;
}

function findLast(test) {
  return this[findLastIndex.call(this, test)];
}

add(Array.prototype, 'at', at);
add(String.prototype, 'at', at);
add(Array.prototype, 'findLast', findLast);
add(Array.prototype, 'findLastIndex', findLastIndex);

if (!('timeout' in AbortSignal)) {
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), ms);
    return controller.signal;
  };
}
