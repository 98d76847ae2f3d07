// The guide between the two codes of a pair.  The ring runs from the moment the person typed the first code, whatever server or
// browser take the time to be: a device out of step changes its code at another moment than they would.
import { digits } from "./digits.js";

export function guideCodePairs(root) {
  for (const pair of root.querySelectorAll("[data-code-pair]")) {
    guide(pair);
  }
}

function guide(pair) {
  const [first, second] = pair.querySelectorAll("[data-code]");
  const ring = pair.querySelector("[data-ring]");
  const seconds = pair.querySelector("[data-seconds]");
  const guidance = pair.querySelector("[data-guide]");
  const same = pair.querySelector("[data-same]");
  const old = pair.querySelector("[data-old]");
  const period = Number(pair.dataset.period);
  ring.ownerSVGElement.removeAttribute("hidden");
  pair.querySelector("[data-without-scripts]").hidden = true;
  let ticking;
  let aging;
  let started = "";

  // Read aloud when it changes, so it changes at start and end only.
  const say = (text) => {
    if (guidance.textContent !== text) guidance.textContent = text;
  };
  const show = (left) => {
    seconds.textContent = String(left ?? period);
    ring.setAttribute("stroke-dashoffset", String(left === null ? 100 : 100 - (100 * left) / period));
  };
  const stop = () => {
    clearInterval(ticking);
    show(null);
  };
  const start = () => {
    stop();
    const ends = performance.now() + period * 1000;
    say(pair.dataset.sayWait);
    show(period);
    ticking = setInterval(() => {
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      show(left);
      if (left === 0) {
        clearInterval(ticking);
        say(pair.dataset.sayNow);
      }
    }, 250);
  };

  stop();

  const compare = () => {
    const equal = digits(second.value).length === 6 && digits(first.value) === digits(second.value);
    same.hidden = !equal;
    same.textContent = equal ? pair.dataset.saySame : "";
    for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", same.id]]) {
      if (equal) second.setAttribute(name, value);
      else second.removeAttribute(name);
    }
    second.setCustomValidity(equal ? pair.dataset.saySame : "");
  };
  const age = () => {
    clearTimeout(aging);
    old.textContent = "";
    if (digits(second.value).length === 6) {
      aging = setTimeout(() => (old.textContent = pair.dataset.sayOld), 1500 * period);
    }
  };

  first.addEventListener("input", () => {
    const code = digits(first.value);
    if (code.length === 6 && code !== started) {
      started = code;
      start();
    } else if (code.length === 0) {
      started = "";
      stop();
      say(pair.dataset.sayEnter);
    }
    compare();
  });
  // Enter in the first field would send half a pair.
  first.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) event.preventDefault();
  });
  second.addEventListener("input", () => {
    compare();
    age();
  });
}
