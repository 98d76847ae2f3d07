// Waits that are shown, counted down.

export function countDown(root) {
  const language = document.documentElement.lang;
  for (const wait of root.querySelectorAll("[data-countdown]")) {
    const number = wait.querySelector("[data-countdown-number]");
    const ends = performance.now() + Number(wait.dataset.countdown) * 1000;
    const format = new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "long" });
    const ticking = setInterval(() => {
      const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      number.textContent = format.format(left);
      if (left === 0) clearInterval(ticking);
    }, 1000);
  }
}
