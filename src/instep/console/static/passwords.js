// Passwords can be shown while they are typed.

export function offerShowingPasswords(root) {
  for (const offer of root.querySelectorAll("[data-show-password]")) {
    const field = document.getElementById(offer.dataset.showPassword);
    const box = offer.querySelector("input");
    const apply = () => (field.type = box.checked ? "text" : "password");
    offer.hidden = false;
    box.addEventListener("change", apply);
    // So that no password manager or history takes it for a plain text.
    field.form?.addEventListener("submit", () => (field.type = "password"));
  }
}
