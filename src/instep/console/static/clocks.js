// The server's clock goes on ticking, and other times get the reader's local time beside them.

const pad = (number) => String(number).padStart(2, "0");

// As the server writes it, in either language.
function written(at) {
  const days = [at.getUTCFullYear(), pad(at.getUTCMonth() + 1), pad(at.getUTCDate())];
  const time = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}\u00a0UTC`;
  return document.documentElement.lang === "ja" ? `${days[0]}年${days[1]}月${days[2]}日 ${time}` : `${days.join("-")} ${time}`;
}

export function tickServerClocks(root) {
  for (const clock of root.querySelectorAll("time[data-server-clock]")) {
    const began = Date.parse(clock.dateTime);
    // Not the browser's date: it may be set right while the page is open.
    const loaded = performance.now();
    const tick = () => {
      const now = new Date(began + performance.now() - loaded);
      clock.dateTime = now.toISOString().replace(/\.\d+/, "");
      clock.textContent = written(now);
    };
    setInterval(tick, 1000);
  }
}

export function showLocalTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, {
    month: "short",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
  });
  for (const time of root.querySelectorAll("time[data-local-time]")) {
    const at = new Date(time.dateTime);
    if (at.getTimezoneOffset() !== 0) {
      const local = document.createElement("span");
      local.className = "local-time";
      local.textContent = `(${format.format(at)})`;
      time.after(" ", local);
    }
  }
}
