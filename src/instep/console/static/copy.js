// Copy buttons, which are hidden until they can work.

export function offerCopying(root) {
  if (!navigator.clipboard) return; // as over plain HTTP
  for (const holder of root.querySelectorAll("[data-copy-holder]")) {
    const button = holder.querySelector("[data-copy]");
    const status = holder.querySelector("[role=status]");
    holder.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      status.textContent = button.dataset.copied;
      setTimeout(() => (status.textContent = ""), 3000);
    });
  }
}
